import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { refuse } from '../../kernel/authorize.js'
import { AppError } from '../../kernel/errors.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession } from '../../agents/store/mcp-sessions.js'
import { sendFailure } from '../../http/failures.js'
import { NO_TOOL, refusedToken } from '../credentials.js'
import type { LookUp } from '../../agents/store/mcp-sessions.js'
import { acceptsEvents, mcpSessionNotFound, unspokenVersion } from '../legacy/sessions.js'
import { sessionIdOf } from '../session-id.js'
import { NotificationStream } from './notification-stream.js'
import type { Streams } from './streams.js'
import type { Watches } from './watch.js'

/**
 * `GET /mcp`: the notification stream of a 2025-era client. The session's row says what the client has subscribed to,
 * and as whom, so that a stream on this replica obeys a request that came to another one.
 *
 * A notification asks the client to read again. So a stream that opens, for the first time or again, names every
 * subscribed URI once instead of replaying events: Last-Event-ID is not needed. If a session has several streams, the
 * one opened last delivers, and the others stay open in silence: a client whose stream the server ended would open it
 * again, and by that end the other one.
 */
export function serveNotifications(
  versions: readonly string[],
  { streams, watches, lookUp }: { streams: Streams; watches: Watches; lookUp: LookUp },
  app: FastifyInstance
) {
  const { db } = app.database

  return async function open(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
    const id = sessionIdOf(request)
    // The protocol wants the stream or 405. Clients take 405 for "there is nothing to listen to", and go on.
    if (id === undefined || !acceptsEvents(request)) return sendFailure(reply.header('allow', ALLOWED), noStream())
    const session = await mcpSessions.find(db, id)
    if (session === undefined) return sendFailure(reply, mcpSessionNotFound())
    const unspoken = unspokenVersion(request, versions)
    if (unspoken !== undefined) return sendFailure(reply, unspoken)
    const refused = await refusedToken([{ method: 'notifications', id: 0 }], caller, app)
    if (refused !== undefined) return sendFailure(reply, refused)
    caller.credentials.client_name = session.client_name ?? undefined
    // A session whose token has ended is like one that has not authenticated yet.
    const viewer = await viewerOf(caller, session).catch(async (error: unknown) => {
      throw error instanceof AppError ? await refuse(error, NO_TOOL, null, caller, app.kernel) : error
    })
    const leave = streams.take(viewer)
    if (reply.raw.destroyed || app.stopping.aborted) {
      leave()
      return sendFailure(reply, new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.'))
    }
    caller.releaseSlot?.()
    await new NotificationStream(reply, session.id_hash, viewer, leave, {
      app,
      streams,
      watches,
      lookUp,
      viewerOf: session => viewerOf(caller, session)
    }).begin()
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
}

export const ALLOWED = 'GET, POST, DELETE'

function noStream(): AppError {
  return new AppError('METHOD_NOT_ALLOWED', 'There is a notification stream for an MCP session only.', {
    suggestions: [
      'Send JSON-RPC messages with POST to /mcp',
      'To listen, send initialize first, then GET /mcp with its Mcp-Session-Id',
      'As a 2026-07-28 client, send subscriptions/listen'
    ]
  })
}
