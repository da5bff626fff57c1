import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { mcpTopic } from '../../kernel/events.js'
import { memoryVersions, memoryOf, sessionVersions } from '../../feed/store/resource-versions.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession, LookUp, ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { sendFailure } from '../../http/failures.js'
import { refusedToken } from '../credentials.js'
import { openEventStream } from '../event-stream.js'
import { createOutbox } from './outbox.js'
import { sessionIdOf } from '../session-id.js'
import { acceptsEvents, mcpSessionNotFound, unspokenVersion } from '../legacy/sessions.js'
import type { Open, Streams } from './streams.js'
import { placeOf } from './subscribable.js'
import type { Watch, Watches } from './watch.js'

/**
 * The notification stream of a 2025-era client: `GET /mcp`. What the client has subscribed to, and as whom, is in its
 * row, so that the stream on this replica obeys a request that came to another.
 *
 * Notifications are hints to read again, so a stream that opens, for the first time or again, tells every subscribed
 * URI once instead of replaying events: Last-Event-ID is not needed. Of several streams of one session, the one opened
 * last delivers; the others stay open in silence, since a client whose stream were ended would open it again, and so
 * end the other.
 */
export function serveNotifications(
  versions: readonly string[],
  { streams, watches, lookUp }: { streams: Streams; watches: Watches; lookUp: LookUp },
  app: FastifyInstance
) {
  const { db } = app.database
  const { log } = app

  return async function open(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
    const id = sessionIdOf(request)
    // The protocol has it so: the stream, or 405. Clients take that for "nothing to listen to here", and go on.
    if (id === undefined || !acceptsEvents(request)) return sendFailure(reply.header('allow', ALLOWED), noStream())
    const session = await mcpSessions.find(db, id)
    if (session === undefined) return sendFailure(reply, mcpSessionNotFound())
    const unspoken = unspokenVersion(request, versions)
    if (unspoken !== undefined) return sendFailure(reply, unspoken)
    const refused = await refusedToken([{ method: 'notifications', id: 0 }], caller, app)
    if (refused !== undefined) return sendFailure(reply, refused)
    caller.credentials.client_name = session.client_name ?? undefined
    // A session whose token has ended is one that has not authenticated yet.
    const viewer = await viewerOf(caller, session).catch(async (error: unknown) => {
      throw error instanceof AppError ? await app.kernel.ports.throttleFailedAuth(error, caller) : error
    })
    const leave = streams.take(viewer)
    if (reply.raw.destroyed || app.stopping.aborted) {
      leave()
      return sendFailure(reply, new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.'))
    }
    caller.releaseSlot?.()
    await serve(reply, caller, session, viewer, leave)
    return reply
  }

  /** @throws AppError for a wrong key */
  async function viewerOf(caller: Caller, session: HeldSession): Promise<Agent | undefined> {
    caller.credentials.mcp_session = session
    try {
      return (await app.identify(caller)) ?? undefined
    } catch (error) {
      if (session.identity !== null && error instanceof AppError && error.status === 401) return undefined
      throw error
    }
  }

  /** @param viewer who it is for at first: whose rights end before the row is read again is told so too */
  async function serve(
    reply: FastifyReply,
    caller: Caller,
    { id_hash }: HeldSession,
    viewer: Agent | undefined,
    leave: () => void
  ): Promise<void> {
    const name = randomUUID()
    const topic = mcpTopic(id_hash)
    const stream = openEventStream(reply)
    const outbox = createOutbox(
      uri => {
        stream.send({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } })
      },
      () => stream.blocked
    )
    let watch: Watch | undefined
    let closed = false
    let reading = false
    let again = false

    const open: Open = {
      stream,
      viewer: () => viewer,
      look() {
        void reread()
      },
      end(reason) {
        // The token may have been replaced by another one of this session: the row tells.
        if (reason !== 'stopping' && reason !== 'session_gone') {
          void reread()
          return
        }
        goodbye(reason)
      }
    }

    function goodbye(reason: string): void {
      if (closed) return
      stream.write(`: ended: ${reason}\n\n`)
      stream.end()
      close()
    }

    function close(): void {
      if (closed) return
      closed = true
      forget()
      outbox.close()
      unsubscribe()
      leave()
      streams.remove(open)
      void mcpSessions
        .leaveStream(db, id_hash, name)
        .then(delivered => {
          if (delivered) app.events.publish([topic])
        })
        // Then the next stream of the session takes its place.
        .catch((error: unknown) => {
          log.info({ err: app.kernel.ports.loggableFault(error) }, 'mcp stream not given back')
        })
    }

    function forget(): void {
      watch?.close()
      watch = undefined
    }

    async function reread(): Promise<void> {
      if (closed) return
      if (reading) {
        again = true
        return
      }
      reading = true
      try {
        do {
          again = false
          const session = await lookUp(id_hash)
          if (!closed) await obey(session)
        } while (again && !closed)
      } catch (error) {
        // No room for the agent it has become: the client may open another stream.
        if (error instanceof AppError) return goodbye('unavailable')
        log.warn({ err: app.kernel.ports.loggableFault(error) }, 'mcp session not read')
        setTimeout(() => {
          void reread()
        }, RETRY_MS).unref()
      } finally {
        reading = false
      }
    }

    async function obey(session: HeldSession | undefined): Promise<void> {
      if (session === undefined) return goodbye('session_ended')
      const now = await viewerOf(caller, session).catch((error: unknown) => {
        if (error instanceof AppError && error.status === 401) return undefined
        throw error
      })
      if (viewer !== undefined && now === undefined)
        return goodbye(viewer.token === undefined ? 'key_ended' : 'token_ended')
      if (!same(viewer, now)) {
        forget()
        if (viewer?.agent_id !== now?.agent_id) {
          leave()
          leave = streams.take(now)
        }
        viewer = now
      }
      if (session.stream === null) {
        await mcpSessions.takeStream(db, id_hash, name, true)
        again = true
      }
      if (viewer === undefined || session.stream !== name) return forget()
      await watchAs(viewer, session.subscriptions)
    }

    async function watchAs(who: Agent, subscriptions: Map<string, ResourceVersion>): Promise<void> {
      const anew = watch === undefined
      // Nothing is missed between what the client is told and what is watched: the marks come first.
      const marks = anew ? await marksNow(who, [...subscriptions.keys()]) : subscriptions
      if (closed) return
      const current = (watch ??= watches(who, { updated: outbox.updated, ended: open.end }))
      if (anew) watched.clear()
      for (const uri of watched) {
        if (subscriptions.has(uri)) continue
        watched.delete(uri)
        current.remove(uri)
      }
      for (const [uri, mark] of marks) {
        if (watched.has(uri)) continue
        watched.add(uri)
        current.add(uri, mark)
        if (anew) outbox.updated(uri)
      }
    }

    async function marksNow(who: Agent, uris: string[]): Promise<Map<string, ResourceVersion>> {
      const places = new Map(uris.map(uri => [uri, placeOf(uri)]))
      const ids = [
        ...new Set(
          [...places.values()].flatMap(place =>
            typeof place === 'object' && 'session_id' in place ? [place.session_id] : []
          )
        )
      ]
      const [sessions, memories] = await Promise.all([
        ids.length > 0
          ? sessionVersions(app.kernel.ports.executorFor(who.workspace), who, ids)
          : new Map<string, number>(),
        [...places.values()].some(place => typeof place === 'object' && 'agent_id' in place)
          ? memoryVersions(app.kernel.ports.executorFor(who.workspace), [who])
          : new Map<string, string>()
      ])
      const marks = new Map<string, ResourceVersion>()
      for (const [uri, place] of places) {
        if (typeof place !== 'object') continue
        const mark =
          'session_id' in place
            ? sessions.get(place.session_id)
            : place.agent_id === who.agent_id
              ? (memories.get(memoryOf(who)) ?? '')
              : undefined
        if (mark !== undefined) marks.set(uri, mark)
      }
      return marks
    }

    const watched = new Set<string>()
    stream.onDrain = outbox.resume
    stream.onClose = close
    const unsubscribe = app.events.subscribe(topic, () => {
      void reread()
    })
    streams.add(open)
    stream.write(': open\n\n')
    try {
      await mcpSessions.takeStream(db, id_hash, name)
      app.events.publish([topic])
      await reread()
    } catch (error) {
      log.warn({ err: app.kernel.ports.loggableFault(error) }, 'mcp stream not opened')
      goodbye('unavailable')
    }
  }
}

/** After the database could not be asked. */
const RETRY_MS = 1000

export const ALLOWED = 'GET, POST, DELETE'

/** Whether everything an agent may see is the same. */
function same(a: Agent | undefined, b: Agent | undefined): boolean {
  return (
    a?.workspace === b?.workspace &&
    a?.agent_id === b?.agent_id &&
    a?.agent_type === b?.agent_type &&
    a?.token?.jti === b?.token?.jti &&
    a?.key_id === b?.key_id &&
    a?.permissions.join() === b?.permissions.join() &&
    a?.sessions?.join() === b?.sessions?.join()
  )
}

function noStream(): AppError {
  return new AppError('METHOD_NOT_ALLOWED', 'There is a notification stream for an MCP session only.', {
    suggestions: [
      'Send JSON-RPC messages with POST to /mcp',
      'To listen, send initialize first, then GET /mcp with its Mcp-Session-Id',
      'As a 2026-07-28 client, send subscriptions/listen'
    ]
  })
}
