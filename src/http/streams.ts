import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { compileAccept } from '../kernel/accept.js'
import type { Agent } from '../kernel/agent.js'
import { authorize } from '../kernel/authorize.js'
import type { Kernel } from '../kernel/kernel.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { messagesTo } from '../kernel/delivered.js'
import type { EndReason, Following } from '../feed/live.js'
import type { Change } from '../feed/store/feed.js'
import type { ConcurrencyLimit } from '../kernel/semaphore.js'
import { addGauge, addLabelledGauge } from '../kernel/metrics.js'
import { decodeFeedCursor, encodeFeedCursor, type FeedCursor } from '../feed/feed-cursor.js'
import { SessionEventsInput, WorkspaceEventsInput } from './stream-input.js'
import { callerOf, header } from './caller.js'
import { sessionFrames, workspaceFrames } from './change-frames.js'
import { eventFrame } from './event-frames.js'
import { EventStream } from './event-stream.js'

export interface StreamsOptions {
  /** How many streams may be open. */
  limit: ConcurrencyLimit
  /** The session's last_seq. @throws AppError SESSION_NOT_FOUND */
  headOf: (agent: Agent, session_id: string) => Promise<number>
  /** The cursor of a reader of all sessions who begins now. */
  cursorNow: (agent: Agent) => Promise<FeedCursor>
  /** Whether the database has come to this cursor. */
  isReached: (cursor: FeedCursor) => Promise<boolean>
  /** The cursor without what it says of transactions after the newest that wrote something. */
  upToNow: (cursor: FeedCursor, agent: Agent) => Promise<FeedCursor>
  /** A name for the database. */
  origin: () => Promise<string>
}

const KINDS = ['session', 'workspace'] as const
type Kind = (typeof KINDS)[number]

/** Whether a client should make the same request again, with the last id. */
const RESUME: Record<EndReason | 'slow_reader', boolean> = {
  token_revoked: false,
  token_expired: false,
  key_revoked: false,
  key_expired: false,
  session_gone: false,
  stopping: true,
  slow_reader: true
}

/** Clients come back after a time between these: those of a replica that stops do not all come at once. */
const RETRY_MS = { from: 500, to: 2000 }

type Stream = EventStream<EndReason>

/** What an admitted stream sends. */
interface Opening {
  /** Data and id of the first event: a client that loses the connection before any change resumes from there. */
  start: { data: unknown; id: string | number }
  follow: (stream: Stream) => Following
  /** An id after the last one that was sent, if nothing between the two was for this client. */
  moved: () => string | number | undefined
}

interface Admitted {
  kind: Kind
  agent: Agent
  caller: Caller
  reply: FastifyReply
  giveBack: () => void
}

/** Of frames for an open stream, beside a call and its answer: feed/live.ts. */
const DELIVERY_COST = 0.2

/** GET /mcp/sessions/{session_id}/events and GET /mcp/events: changes as they come, as server-sent events. */
export function registerStreams(app: FastifyInstance, options: StreamsOptions): void {
  const { kernel } = app
  const open: Record<Kind, number> = { session: 0, workspace: 0 }
  addLabelledGauge(
    app.metrics,
    'event_streams_open',
    'Server-sent event streams open on this replica: of one session, or of the whole workspace.',
    'kind',
    KINDS,
    kind => open[kind]
  )
  addGauge(
    app.metrics,
    'event_streams_max',
    'Most server-sent event streams that may be open on this replica (STREAMS_MAX).',
    () => options.limit.max
  )

  const acceptSession = compileAccept<{ session_id: string; after_seq?: number }>(SessionEventsInput)
  const acceptWorkspace = compileAccept<Record<string, never>>(WorkspaceEventsInput)

  serve('/mcp/sessions/:session_id/events', 'session', async (request, agent) => {
    const { session_id, after_seq } = acceptSession({ ...(request.query as object), ...(request.params as object) })
    const resumed = header(request, 'last-event-id')
    const from = resumed === undefined ? after_seq : seqOf(resumed)
    const head = await options.headOf(agent, session_id)
    let cursor = Math.min(from ?? head, head)
    let sent = cursor
    return {
      start: { data: { session_id, last_seq: cursor }, id: cursor },
      follow: stream =>
        app.live.follow(session_id, agent, cursor, {
          deliveryCost: DELIVERY_COST,
          gathers: true,
          deliver(changes, upTo) {
            cursor = upTo
            const last = changes.at(-1)
            if (last === undefined) return
            sent = last.seq
            noteDelivered(agent, changes)
            return stream.send(sessionFrames(changes))
          },
          ended: reason => {
            stream.end(reason)
          }
        }),
      moved() {
        if (cursor === sent) return undefined
        sent = cursor
        return cursor
      }
    }
  })

  serve('/mcp/events', 'workspace', async (request, agent) => {
    acceptWorkspace(request.query)
    const resumed = header(request, 'last-event-id')
    const origin = await options.origin()
    const from = resumed === undefined ? await options.cursorNow(agent) : decodeFeedCursor(origin, resumed)
    if (from === undefined || (resumed !== undefined && !(await options.isReached(from)))) {
      throw wrongId('an id that an event of GET /mcp/events had, of this database', [
        'Leave Last-Event-ID out to begin now, and call get_messages for what came before'
      ])
    }
    const begin = resumed === undefined ? from : await options.upToNow(from, agent)
    let moved: FeedCursor | undefined
    return {
      start: { data: {}, id: resumed ?? encodeFeedCursor(origin, from) },
      follow: stream =>
        app.workspaceLive.follow(agent, begin, {
          deliveryCost: DELIVERY_COST,
          gathers: true,
          deliver(changes, cursor) {
            moved = changes.length === 0 ? cursor : undefined
            if (changes.length === 0) return undefined
            noteDelivered(
              agent,
              changes.map(({ change }) => change)
            )
            return stream.send(workspaceFrames(origin, changes))
          },
          ended: reason => {
            stream.end(reason)
          }
        }),
      moved() {
        const cursor = moved
        moved = undefined
        return cursor && encodeFeedCursor(origin, cursor)
      }
    }
  })

  /** A stream that is slow is cut off, and its client then resumes: what was sent to it has come. */
  function noteDelivered(agent: Agent, changes: readonly Change[]): void {
    const messages = changes.flatMap(change => ('message' in change ? [change.message] : []))
    const ids = messagesTo(agent, { messages })
    if (ids.length > 0) kernel.ports.noteDelivered(agent, ids)
  }

  function serve(url: string, kind: Kind, prepare: (request: FastifyRequest, agent: Agent) => Promise<Opening>): void {
    app.get(url, { exposeHeadRoute: false }, async (request, reply) => {
      const caller = callerOf(request, 'rest')
      const agent = await admit(caller, `${kind}_events`, kernel)
      // The balancer may send clients here for a short time yet: they come back to another replica.
      if (app.stopping.aborted) throw new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.')
      const giveBack = options.limit.take(agent)
      try {
        begin(await prepare(request, agent), { kind, agent, caller, reply, giveBack })
      } catch (error) {
        giveBack()
        throw error
      }
      return reply
    })
  }

  function begin({ start, follow, moved }: Opening, { kind, agent, caller, reply, giveBack }: Admitted): void {
    const began = performance.now()
    const { request_id } = caller
    const { agent_id } = agent
    const parts: Array<() => void> = [giveBack]
    open[kind]++
    const stream: Stream = new EventStream(reply, {
      heartbeat() {
        const id = moved()
        return id === undefined ? undefined : eventFrame('position', {}, id)
      },
      last: reason => eventFrame('end', { reason, resume: RESUME[reason] }),
      onEnd(reason) {
        open[kind]--
        for (const end of parts) end()
        const ms = Math.round(performance.now() - began)
        kernel.log.info({ request_id, stream: kind, agent_id, reason, ms }, 'stream ended')
      }
    })
    const retry = Math.round(RETRY_MS.from + Math.random() * (RETRY_MS.to - RETRY_MS.from))
    void stream.send(`retry: ${retry}\n${eventFrame('start', start.data, start.id)}`)
    kernel.ports.noteSeen(agent)
    kernel.log.info({ request_id, stream: kind, agent_id }, 'stream')
    caller.releaseSlot?.()
    parts.push(follow(stream).close)
  }
}

/** Who calls, if it may read. @throws AppError, audited as a tool's refusal is */
async function admit(caller: Caller, name: string, kernel: Kernel): Promise<Agent> {
  const { agent, refusal } = await authorize({ name, permission: 'read' }, caller, kernel)
  if (refusal !== undefined) throw refusal
  return agent as Agent
}

function seqOf(id: string): number {
  const seq = /^\d{1,16}$/.test(id) ? Number(id) : NaN
  if (!Number.isSafeInteger(seq))
    throw wrongId("the id of an event of this session's stream, a whole number", [
      'Send the id of the last event unchanged, or leave Last-Event-ID out and pass after_seq'
    ])
  return seq
}

function wrongId(allowed: string, suggestions: string[]): AppError {
  return new AppError('INVALID_INPUT', 'The Last-Event-ID header is not an id of this stream.', {
    context: { argument: 'Last-Event-ID', given: 'another text', allowed },
    suggestions
  })
}
