import { mayEnter } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import { inboxTopic, type Topic } from '../../kernel/events.js'
import { AppError } from '../../kernel/errors.js'
import { quotaExceeded, type Quotas } from '../../limits/quotas.js'
import { isStatementFault } from '../../postgres/faults.js'
import { claim, settle } from '../../postgres/idempotency.js'
import { type MessagesRequest, type Outcome, type ResolvedRequest, writeBatch } from './message-batch.js'
import { type Draft, messageNotFound, type Written } from './messages.js'
import { type Resolved, resolveRecipients } from './reached.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, transact, type Unscoped } from '../../postgres/scope.js'
import { readSessionOrThrow, sessionClosed, sessionNotFound } from '../../sessions/store/sessions.js'

/** Messages of one batch, at most; one request alone may have more. */
const BATCH_MAX = 256
/** So many characters of content count as much as a message: a batch has at most a million. */
const CHARACTERS_PER_MESSAGE = 4000
/**
 * At most so many batches run at a time, and as many for locked sessions; other calls get the rest of the pool. (For
 * the test "sessions that somebody holds, however many, leave connections to other calls".)
 */
const IN_FLIGHT_MAX = 3
/**
 * One batch of a workspace at a time: two would find the same sessions locked by each other. (With two at once, 64
 * writers took 1.5 times the CPU for a message, and 1.7 times in one session.) But a batch that has been in
 * flight for SLOW_MS waits for something, such as another's idempotency key. Then one more begins. (For the test "a
 * key that is being taken by another replica at this moment is waited for, and nobody else waits".)
 */
const WORKSPACE_IN_FLIGHT_MAX = 2
const SLOW_MS = 25

export interface MessageWriter {
  /**
   * Writes a call's messages, all or none, and answers after the commit.
   * @throws AppError SESSION_NOT_FOUND, SESSION_CLOSED, MESSAGE_NOT_FOUND for a parent the sender cannot see,
   * IDEMPOTENCY_CONFLICT, QUOTA_EXCEEDED
   */
  write: (request: MessagesRequest) => Promise<Written[]>
}

/**
 * Writes what arrives at the same time in one statement: a flush of the log to disk, a round trip and a plan serve many
 * calls.
 *
 * A session whose row another transaction holds must not keep the others of a batch waiting: the statement passes it
 * over. Its requests then go in batches of its own, which wait for the row, until none of them is left.
 * @param publish tells the replicas in whose inboxes something came
 */
export function createMessageWriter(
  database: Unscoped,
  quotas: Quotas,
  publish: (topics: readonly Topic[]) => void = () => {}
): MessageWriter {
  const limits = {
    key: ({ idempotencyKey: once }: MessagesRequest) => once && `${once.agent_id}\n${once.key}`,
    weight: ({ drafts }: MessagesRequest) =>
      Math.max(drafts.length, drafts.reduce((sum, draft) => sum + charactersOf(draft), 0) / CHARACTERS_PER_MESSAGE),
    weight_max: BATCH_MAX,
    in_flight_max: IN_FLIGHT_MAX,
    isItemFault: isStatementFault
  }
  const batches = createBatcher<MessagesRequest, Written[]>({
    ...limits,
    flush: requests => flush(requests, false),
    group: ({ sender }) => sender.workspace,
    group_in_flight_max: WORKSPACE_IN_FLIGHT_MAX,
    slow_ms: SLOW_MS
  })
  const heldBatches = createBatcher<MessagesRequest, Written[]>({
    ...limits,
    flush: requests => flush(requests, true),
    group: sessionOf,
    group_in_flight_max: 1
  })

  /** Writes requests of one workspace. @param waits whether to wait for sessions that somebody holds */
  async function flush(requests: MessagesRequest[], waits: boolean): Promise<Array<Written[] | Promise<Written[]>>> {
    const [first] = requests as [MessagesRequest]
    const { workspace } = first.sender
    const db = inWorkspace(database, workspace)
    const reached = await resolveRecipients(db, requests)
    const resolved = requests.map((request, i) => ({ ...request, ...(reached[i] as Resolved) }))
    let outcomes: Outcome[]
    try {
      outcomes = await writeBatch(db, workspace, resolved, quotas, waits)
    } catch (error) {
      if (requests.length === 1 && first.idempotencyKey !== undefined && isStatementFault(error))
        return [alone(resolved[0] as ResolvedRequest)]
      throw error
    }
    return outcomes.map((outcome, i) => {
      const request = resolved[i] as ResolvedRequest
      if (Array.isArray(outcome)) return outcome
      if (outcome === 'repeated') return alone(request)
      if (outcome === 'busy') return heldBatches.add(requests[i] as MessagesRequest)
      return whyRefused(db, outcome, request)
    })
  }

  /** A request whose key has come before or comes twice at once: whoever has the key decides, so it is waited for. */
  async function alone(request: ResolvedRequest): Promise<Written[]> {
    const once = request.idempotencyKey as NonNullable<ResolvedRequest['idempotencyKey']>
    return transact(inWorkspace(database, request.sender.workspace), async tx => {
      const first = await claim<Written[]>(tx, once)
      if (first !== undefined) {
        request.onRepeat?.()
        return first
      }
      const [outcome] = await writeBatch(
        tx,
        request.sender.workspace,
        [{ ...request, idempotencyKey: undefined }],
        quotas,
        true
      )
      if (!Array.isArray(outcome)) return whyRefused(tx, outcome, request)
      const [first_written, ...others] = outcome.map(({ names: _, ...kept }) => kept)
      await settle(tx, once, [first_written, ...others])
      return outcome
    })
  }

  async function whyRefused(
    on: Db,
    outcome: Outcome | undefined,
    { sender, session_id, drafts }: ResolvedRequest
  ): Promise<never> {
    if (outcome === 'too_many' || outcome === 'too_large')
      throw quotaExceeded(outcome === 'too_many' ? 'session_messages' : 'session_bytes', quotas)
    const session = await readSessionOrThrow(on, sender, session_id)
    if (!session.is_active) throw sessionClosed()
    if (drafts.some(draft => draft.parent_message_id !== undefined)) throw messageNotFound('parent_message_id')
    // Closed when the batch was written, and open again by now.
    throw new AppError('CONFLICT', 'The session was being opened or closed at this very moment.')
  }

  return {
    async write(request) {
      if (!mayEnter(request.sender, request.session_id)) throw sessionNotFound()
      const written = await (heldBatches.has(sessionOf(request)) ? heldBatches : batches).add(request)
      const names = new Set(written.flatMap(({ names }) => names ?? []))
      if (names.size > 0) publish([...names].map(name => inboxTopic(request.sender.workspace, name)))
      return written
    }
  }
}

function charactersOf({ content, payload }: Draft): number {
  return content.length + (payload === undefined ? 0 : JSON.stringify(payload).length)
}

function sessionOf({ sender, session_id }: MessagesRequest): string {
  return `${sender.workspace}\n${session_id}`
}
