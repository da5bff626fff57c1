import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { compileAccept } from '../kernel/accept.js'
import type { Agent } from '../kernel/agent.js'
import { authorize } from '../kernel/authorize.js'
import type { Caller } from '../kernel/caller.js'
import type { Kernel } from '../kernel/kernel.js'
import { AppError } from '../kernel/errors.js'
import type { Following } from '../feed/live.js'
import type { ConcurrencyLimit } from '../limits/concurrency-limit.js'
import { addLabelledGauge } from '../kernel/metrics.js'
import { decodeFeedCursor, encodeFeedCursor, type FeedCursor } from '../feed/feed-cursor.js'
import { SessionEventsInput, WorkspaceEventsInput } from './stream-input.js'
import type { WorkspaceLive } from '../feed/store/workspace-feed-live.js'
import { callerOf, header } from './caller.js'
import { sendFailure } from './failures.js'
import { StreamClock } from './stream-clock.js'
import { frame, sessionFrames, workspaceFrames } from './stream-frames.js'
import { Stream, type StreamEnd } from './stream.js'

export interface StreamsOptions {
  places: ConcurrencyLimit
  /** The session's last_seq. @throws AppError SESSION_NOT_FOUND */
  headOf: (agent: Agent, session_id: string) => Promise<number>
  /** Where a reader of all sessions stands who begins now. */
  placeNow: () => Promise<FeedCursor>
  /** Whether it is a place of this database as it is. */
  isReached: (place: FeedCursor) => Promise<boolean>
  /** A name for the database. */
  origin: () => Promise<string>
}

const KINDS = ['session', 'workspace'] as const
type Kind = (typeof KINDS)[number]

/** What a stream does once it may begin: where from, and who feeds it. */
interface Opening {
  /**
   * The first event's data and id: a client that loses the connection before anything came resumes there all the same.
   */
  start: { data: unknown; id: string | number }
  follow: (stream: Stream) => Following
  /** An id further on than the last one sent, if nothing between the two was for this client. */
  moved: () => string | number | undefined
}

/** Frames written to an open stream, beside a call and its answer (feed/live.ts). */
const STREAM_PRICE = 0.2

/** GET /mcp/sessions/{session_id}/events and GET /mcp/events: changes as they come, as server-sent events. */
export function registerStreams(app: FastifyInstance, options: StreamsOptions): void {
  const { kernel } = app
  const clock = new StreamClock()
  const open: Record<Kind, number> = { session: 0, workspace: 0 }
  addLabelledGauge(
    app.metrics,
    'event_streams_open',
    'Server-sent event streams open on this replica: of one session, or of the whole workspace.',
    'kind',
    KINDS,
    kind => open[kind]
  )

  const acceptSession = compileAccept<{ session_id: string; after_seq?: number }>(SessionEventsInput)
  const acceptWorkspace = compileAccept<Record<string, never>>(WorkspaceEventsInput)

  serve('/mcp/sessions/:session_id/events', 'session', async (request, agent) => {
    const { session_id, after_seq } = acceptSession({ ...(request.query as object), ...(request.params as object) })
    const resumed = lastEventId(request)
    const from = resumed === undefined ? after_seq : seqOf(resumed)
    const head = await options.headOf(agent, session_id)
    let cursor = Math.min(from ?? head, head)
    let sent = cursor
    return {
      start: { data: { session_id, last_seq: cursor }, id: cursor },
      follow: stream =>
        app.live.follow(session_id, agent, cursor, {
          price: STREAM_PRICE,
          deliver(changes, upTo) {
            cursor = upTo
            const last = changes.at(-1)
            if (last === undefined) return
            sent = last.seq
            return stream.write(sessionFrames(changes))
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
    const resumed = lastEventId(request)
    const origin = await options.origin()
    const place = resumed === undefined ? await options.placeNow() : decodeFeedCursor(origin, resumed)
    if (place === undefined || (resumed !== undefined && !(await options.isReached(place)))) {
      throw wrongId('an id that an event of GET /mcp/events had, of this database', [
        'Leave Last-Event-ID out to begin now, and call get_messages for what came before'
      ])
    }
    let following: ReturnType<WorkspaceLive['follow']> | undefined
    return {
      start: { data: {}, id: resumed ?? encodeFeedCursor(origin, place) },
      follow: stream =>
        (following = app.workspaceLive.follow(agent, place, origin, {
          deliver: changes => stream.write(workspaceFrames(changes)),
          ended: reason => {
            stream.end(reason)
          }
        })),
      moved: () => following?.moved()
    }
  })

  function serve(url: string, kind: Kind, prepare: (request: FastifyRequest, agent: Agent) => Promise<Opening>): void {
    app.get(url, { exposeHeadRoute: false }, async (request, reply) => {
      const caller = callerOf(request, 'rest')
      const agent = await admit(caller, `${kind}_events`, kernel)
      // A client that is sent away now would find the same replica behind its balancer for a while yet, but not for
      // long.
      if (app.stopping.aborted) throw new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.')
      const giveBack = options.places.take(agent)
      try {
        begin(await prepare(request, agent), { kind, agent, caller, reply, giveBack })
      } catch (error) {
        giveBack()
        throw error
      }
      return reply
    })
    app.route({
      method: ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url,
      handler: async (_request, reply) =>
        sendFailure(
          reply.header('allow', 'GET'),
          new AppError('METHOD_NOT_ALLOWED', 'Event streams are read with GET.', {
            suggestions: ['Send GET with the header Accept: text/event-stream']
          })
        )
    })
  }

  function begin(
    { start, follow, moved }: Opening,
    {
      kind,
      agent,
      caller,
      reply,
      giveBack
    }: { kind: Kind; agent: Agent; caller: Caller; reply: FastifyReply; giveBack: () => void }
  ): void {
    const began = performance.now()
    const parts: Array<() => void> = [giveBack]
    let over = false
    const onEnd = (reason: StreamEnd) => {
      over = true
      open[kind]--
      for (const end of parts) end()
      kernel.log.info(
        {
          request_id: caller.request_id,
          stream: kind,
          agent_id: agent.agent_id,
          reason,
          ms: Math.round(performance.now() - began)
        },
        'stream ended'
      )
    }
    open[kind]++
    const stream = new Stream(reply, frame('start', start.data, start.id), {
      onEnd,
      beat() {
        const id = moved()
        return id === undefined ? undefined : frame('position', {}, id)
      }
    })
    kernel.ports.noteSeen(agent)
    kernel.log.info({ request_id: caller.request_id, stream: kind, agent_id: agent.agent_id }, 'stream')
    // It would hold a place among the requests in flight for hours.
    caller.releaseSlot?.()
    parts.push(clock.add(stream))
    const following = follow(stream)
    parts.push(() => {
      following.close()
    })
    // A client that was gone before it began.
    if (over) for (const end of parts) end()
  }
}

/** Who calls, if it may read. @throws AppError, audited as a tool's refusal is */
async function admit(caller: Caller, name: string, kernel: Kernel): Promise<Agent> {
  const { agent, refusal } = await authorize({ name, permission: 'read' }, caller, kernel)
  if (refusal !== undefined) throw refusal
  return agent as Agent
}

function lastEventId(request: FastifyRequest): string | undefined {
  return header(request, 'last-event-id')
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
