import type { FastifyReply, FastifyRequest, FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import { authorize } from '../../kernel/authorize.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { mcpTopic } from '../../kernel/events.js'
import * as sessionState from '../../agents/store/mcp-session-state.js'
import * as mcpSessions from '../../agents/store/mcp-sessions.js'
import type { HeldSession } from '../../agents/store/mcp-sessions.js'
import { sendFailure } from '../../http/failures.js'
import { NO_TOOL, refusedHeaders } from '../credentials.js'
import { mcpSessionNotFound } from '../failure.js'
import { refuseVersion } from '../legacy.js'
import { acceptsEvents, sessionIdOf } from '../messages.js'
import { type Method, text } from '../methods.js'
import { NotificationStream, type NotificationOptions } from './notification-stream.js'
import { admitSubscriber, tooManySubscriptions, versionOf } from './subscribable.js'

/**
 * `resources/subscribe` and `resources/unsubscribe` of 2025-era clients over HTTP. The session's row keeps what the
 * client has subscribed to. The session's stream obeys the row, on whichever replica it is.
 */
export function sessionSubscriptions(app: FastifyInstance): Map<string, Method> {
  const { db } = app.database
  return new Map<string, Method>([
    [
      'resources/subscribe',
      async (params, caller) => {
        const uri = text(params, 'uri', caller)
        const id_hash = mcpSessionOf(caller)
        const version = await versionOf(uri, await admitSubscriber('resources/subscribe', caller, app), app)
        if (version === undefined) return {}
        if (!(await sessionState.subscribe(db, id_hash, uri, version))) throw tooManySubscriptions()
        app.events.publish([mcpTopic(id_hash)])
        return {}
      }
    ],
    [
      'resources/unsubscribe',
      async (params, caller) => {
        const uri = text(params, 'uri', caller)
        const id_hash = mcpSessionOf(caller)
        await sessionState.unsubscribe(db, id_hash, uri)
        app.events.publish([mcpTopic(id_hash)])
        return {}
      }
    ]
  ])
}

function mcpSessionOf({ credentials: { mcp_session } }: Caller): Buffer {
  if (mcp_session !== undefined) return mcp_session.id_hash
  throw new AppError('INVALID_INPUT', 'A subscription belongs to an MCP session, and the request names none.', {
    context: { argument: 'Mcp-Session-Id' },
    suggestions: ['Send initialize first, then send the Mcp-Session-Id of its answer with every request']
  })
}

/**
 * `GET /mcp`: the notification stream of a 2025-era client.
 *
 * A notification asks the client to read again. So a stream that opens, for the first time or again, names every
 * subscribed URI once instead of replaying events: Last-Event-ID is not needed. If a session has several streams, the
 * one opened last delivers, and the others stay open in silence: a client whose stream the server ended would open it
 * again, and by that end the other one.
 */
export function serveNotifications(means: Omit<NotificationOptions, 'app' | 'viewerOf'>, app: FastifyInstance) {
  return async function open(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
    const id = sessionIdOf(request)
    // The protocol wants the stream or 405. Clients take 405 for "there is nothing to listen to", and go on.
    if (id === undefined || !acceptsEvents(request)) return sendFailure(reply.header('allow', ALLOWED), noStream())
    const session = await mcpSessions.find(app.database.db, id)
    if (session === undefined) return sendFailure(reply, mcpSessionNotFound())
    caller.credentials.client_name = session.client_name ?? undefined
    caller.credentials.mcp_session = session
    const refused = refuseVersion(request) ?? (await refusedHeaders([], caller, app))
    if (refused !== undefined) return sendFailure(reply, refused)
    const { agent, refusal } = await authorize({ name: NO_TOOL, permission: 'none' }, caller, app.kernel)
    if (refusal !== undefined && !isIdentityOver(session, refusal)) return sendFailure(reply, refusal)
    const viewer = agent ?? undefined
    const leave = means.streams.take(viewer)
    if (reply.raw.destroyed || app.stopping.aborted) {
      leave()
      return sendFailure(reply, new AppError('SERVICE_UNAVAILABLE', 'The server is stopping.'))
    }
    caller.releaseSlot?.()
    const viewerOf = (session: HeldSession) => identify(caller, session, app)
    await new NotificationStream(reply, session.id_hash, viewer, leave, { ...means, app, viewerOf }).begin()
    return reply
  }
}

/** Whom the row of an open stream names. @throws AppError for a wrong key */
async function identify(caller: Caller, session: HeldSession, app: FastifyInstance): Promise<Agent | undefined> {
  caller.credentials.mcp_session = session
  caller.identified = undefined
  try {
    return (await app.identify(caller)) ?? undefined
  } catch (error) {
    if (isIdentityOver(session, error)) return undefined
    throw error
  }
}

/** A session whose token has ended is like one that has not authenticated yet. */
function isIdentityOver(session: HeldSession, error: unknown): boolean {
  return session.identity !== null && error instanceof AppError && error.status === 401
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
