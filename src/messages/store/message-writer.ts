import { mayEnter } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { quotaExceeded, type Quotas } from '../../limits/quotas.js'
import { claim, settle } from '../../postgres/idempotency.js'
import { type MessagesRequest, type Outcome, writeBatch } from './message-batch.js'
import { messageNotFound, type Written } from './messages.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, transact, type Unscoped } from '../../postgres/scope.js'
import { need, sessionClosed, sessionNotFound } from '../../sessions/store/sessions.js'

/** Most messages, and characters of content, of one batch; one request alone may have more. */
const MESSAGES_MAX = 256
const CHARACTERS_MAX = 1_000_000
/** A batch that has been out for so long waits for something, such as another's idempotency key: one more may leave. */
const SLOW_MS = 25
/**
 * Batches out at the same time, of several sessions and of one busy session, at most. Of the former it is ordinarily
 * one.
 */
const FLIGHTS_MAX = 2
const BUSY_FLIGHTS_MAX = 3
/**
 * For so long a session that others were seen writing to, from another replica or in a longer transaction, has batches
 * of its own.
 */
const BUSY_MS = 1000

export interface MessageWriter {
  /**
   * Writes a call's messages, all or none, and answers after the commit.
   * @throws AppError SESSION_NOT_FOUND, SESSION_CLOSED, MESSAGE_NOT_FOUND for a parent the sender cannot see,
   * IDEMPOTENCY_CONFLICT, QUOTA_EXCEEDED
   */
  write: (request: MessagesRequest) => Promise<Written[]>
}

interface Waiting {
  request: MessagesRequest
  resolve: (written: Written[]) => void
  reject: (error: unknown) => void
}

/** A batch on its way; `session_id` where it is one busy session's. */
interface BatchInFlight {
  session_id?: string
  left_at: number
}

/**
 * Writes what arrives at the same time in one statement: a flush of the log to disk, a round trip and a plan serve many
 * calls. Nothing waits for a clock: a call that finds nobody on the way leaves at once, and what arrives meanwhile
 * leaves together when that one is back.
 *
 * A session whose row another transaction holds must not keep the others of a batch waiting: it is passed over, and
 * from then on what is for it travels by itself and waits for the row.
 */
export function createMessageWriter(database: Unscoped, quotas: Quotas): MessageWriter {
  let waiting: Waiting[] = []
  /** Busy sessions, until when. */
  const busy = new Map<string, number>()
  const flights = new Set<BatchInFlight>()
  let scheduled = false
  let look_again: NodeJS.Timeout | undefined

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    // After this turn's other requests have been read too.
    setImmediate(() => {
      scheduled = false
      dispatch()
    })
  }

  function dispatch(): void {
    const now = performance.now()
    for (const [session_id, until] of busy) {
      if (ofBusy(session_id)) continue
      if (now > until && !waiting.some(({ request }) => request.session_id === session_id)) busy.delete(session_id)
      else if ([...flights].filter(flight => flight.session_id !== undefined).length < BUSY_FLIGHTS_MAX)
        sendBatch(session_id)
    }
    const mixed = [...flights].filter(flight => flight.session_id === undefined)
    if (mixed.length < FLIGHTS_MAX && mixed.every(({ left_at }) => now - left_at >= SLOW_MS)) sendBatch()
    else if (mixed.length === 1 && waiting.length > 0)
      look_again ??= setTimeout(() => {
        look_again = undefined
        schedule()
      }, SLOW_MS).unref()
  }

  function ofBusy(session_id: string): boolean {
    for (const flight of flights) if (flight.session_id === session_id) return true
    return false
  }

  /** Sends the next batch on its way, if there is one. */
  function sendBatch(session_id?: string): void {
    const batch = take(session_id)
    if (batch.length > 0) void flush(batch, { session_id, left_at: performance.now() })
  }

  /** The next batch, of a busy session or of all that are not: one workspace's, and no idempotency key twice. */
  function take(session_id?: string): Waiting[] {
    const batch: Waiting[] = []
    const keys = new Set<string>()
    const left: Waiting[] = []
    let workspace: string | undefined
    let messages = 0
    let characters = 0
    for (const one of waiting) {
      const { sender, session_id: into, drafts, idempotencyKey: once } = one.request
      const key = once && `${once.agent_id}\n${once.key}`
      const length = drafts.reduce((sum, { content }) => sum + content.length, 0)
      const fits =
        batch.length === 0 || (messages + drafts.length <= MESSAGES_MAX && characters + length <= CHARACTERS_MAX)
      const goes = session_id === undefined ? !busy.has(into) : into === session_id
      if (
        fits &&
        goes &&
        (workspace === undefined || workspace === sender.workspace) &&
        (key === undefined || !keys.has(key))
      ) {
        workspace = sender.workspace
        messages += drafts.length
        characters += length
        if (key !== undefined) keys.add(key)
        batch.push(one)
      } else left.push(one)
    }
    waiting = left
    return batch
  }

  async function flush(batch: Waiting[], flight: BatchInFlight): Promise<void> {
    flights.add(flight)
    await finish(batch, flight.session_id !== undefined)
    flights.delete(flight)
    if (waiting.length > 0 || busy.size > 0) schedule()
  }

  async function finish(batch: Waiting[], waits: boolean): Promise<void> {
    const [first] = batch as [Waiting]
    let outcomes: Outcome[]
    try {
      const { workspace } = first.request.sender
      outcomes = await writeBatch(
        inWorkspace(database, workspace),
        workspace,
        batch.map(({ request }) => request),
        quotas,
        waits
      )
    } catch (error) {
      // One that cannot be written must not keep the others from it. Where the connection broke, nobody knows what was
      // committed.
      if (batch.length > 1 && isStatementFault(error)) for (const one of batch) await finish([one], true)
      else if (isStatementFault(error) && first.request.idempotencyKey !== undefined)
        settleOne(first, alone(first.request))
      else for (const { reject } of batch) reject(error)
      return
    }
    for (const [i, one] of batch.entries()) {
      const outcome = outcomes[i] as Outcome
      if (Array.isArray(outcome)) one.resolve(outcome)
      else if (outcome === 'repeated') settleOne(one, alone(one.request))
      else if (outcome === 'busy') {
        busy.set(one.request.session_id, performance.now() + BUSY_MS)
        waiting.push(one)
      } else settleOne(one, whyRefused(inWorkspace(database, one.request.sender.workspace), outcome, one.request))
    }
  }

  /** A request whose key has come before or comes twice at once: whoever has the key decides, so it is waited for. */
  async function alone(request: MessagesRequest): Promise<Written[]> {
    const once = request.idempotencyKey as NonNullable<MessagesRequest['idempotencyKey']>
    return transact(inWorkspace(database, request.sender.workspace), async tx => {
      const first = await claim<Written[]>(tx, once)
      if (first !== undefined) return first
      const [outcome] = await writeBatch(
        tx,
        request.sender.workspace,
        [{ ...request, idempotencyKey: undefined }],
        quotas,
        true
      )
      if (!Array.isArray(outcome)) return whyRefused(tx, outcome, request)
      await settle(tx, once, outcome)
      return outcome
    })
  }

  async function whyRefused(
    on: Db,
    outcome: Outcome | undefined,
    { sender, session_id, drafts }: MessagesRequest
  ): Promise<never> {
    if (outcome === 'too_many' || outcome === 'too_large')
      throw quotaExceeded(outcome === 'too_many' ? 'session_messages' : 'session_bytes', quotas)
    const session = await need(on, sender, session_id)
    if (!session.is_active) throw sessionClosed()
    if (drafts.some(draft => draft.parent_message_id !== undefined)) throw messageNotFound('parent_message_id')
    // Closed when the batch was written, and open again by now.
    throw new AppError('CONFLICT', 'The session was being opened or closed at this very moment.')
  }

  return {
    write: request =>
      new Promise((resolve, reject) => {
        if (!mayEnter(request.sender, request.session_id)) {
          reject(sessionNotFound())
          return
        }
        waiting.push({ request, resolve, reject })
        schedule()
      })
  }
}

function settleOne({ resolve, reject }: Waiting, work: Promise<Written[]>): void {
  work.then(resolve, reject)
}

/**
 * A fault of the statement, after which nothing of it has been committed: a class of SQLSTATE other than 08
 * (connection) and 57 (the server goes).
 */
function isStatementFault(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(?!08|57)[0-9A-Z]{5}$/.test(code)
}
