import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Agent, Permission } from '../kernel/agent.js'
import { authorize, explain, refuse } from '../kernel/authorize.js'
import { observeRefusal } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { bearer, byAuthorization, byMcpSession, byToken, identifiedJustNow } from '../agents/identify.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import type { HeldSession } from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { judge, provesKey } from '../http/sender.js'
import { refusal } from './failure.js'
import { calledTool, type Message, sessionIdOf } from './messages.js'
import { AUTH_TOKEN } from './tool-list.js'

/** What audit rows name as the action where no tool was called. */
export const NO_TOOL = 'mcp'

/** Who makes a request other than a tool's call. @throws RpcFailure if the kernel refuses it */
export async function admit(
  method: string,
  permission: Permission | 'none',
  caller: Caller,
  app: FastifyInstance
): Promise<Agent | null> {
  const { agent, refusal: refused } = await authorize({ name: method, permission }, caller, app.kernel)
  if (refused !== undefined) throw refusal(refused, caller.request_id)
  return agent
}

/** Of a body whose sender is not judged beforehand: most messages are shorter. */
const SHORT_BYTES = 4096
/** Milliseconds for which the row that the hook has read is taken for what it is. */
const ROW_MS = 100

export function createSenders(app: FastifyInstance, lookUp: mcpSessions.LookUp) {
  const { verifiers } = app
  const find = (id: string) => lookUp(mcpSessions.hashId(id))
  const rows = new WeakMap<FastifyRequest, { row: HeldSession | undefined; at: number }>()

  return {
    /** The onRequest hook: judges who sends the body. It refuses nobody: the answer to the message does. */
    judgeSender: async (request: FastifyRequest): Promise<void> => {
      const caller = callerOf(request, 'mcp')
      // So short a body takes next to no room, whoever sends it: its call finds out who that is.
      if (Number(request.headers['content-length'] ?? Infinity) <= SHORT_BYTES) {
        request.sender = { caller, isAuthenticated: false }
        return
      }
      const { authorization } = caller.credentials
      request.sender = await judge(caller, NO_TOOL, app, async () => {
        // Who calls with a key is named after the client, which the body names.
        if (authorization !== undefined && (await verifiers.keys.allows(bearer(authorization))) !== undefined)
          return true
        if (authorization !== undefined) {
          caller.identified = { agent: await byToken(bearer(authorization), verifiers), at: performance.now() }
          return true
        }
        const id = sessionIdOf(request)
        const row = id === undefined ? undefined : await find(id)
        if (id !== undefined) rows.set(request, { row, at: performance.now() })
        if (row?.identity) return (await byMcpSession(row.identity, verifiers)) !== null
        return provesKey(caller, app)
      })
    },
    /** The row of an Mcp-Session-Id; undefined if there is none. */
    async sessionOf(request: FastifyRequest, id: string): Promise<HeldSession | undefined> {
      const read = rows.get(request)
      return read !== undefined && performance.now() - read.at < ROW_MS ? read.row : find(id)
    }
  }
}

export type Senders = ReturnType<typeof createSenders>

/**
 * The refusal of a bad token in the Authorization header: HTTP 401, whatever the messages ask for
 * (docs/semantics.md, Identity). If the database cannot tell, the calls themselves find out.
 */
export async function refusedToken(
  messages: Message[],
  caller: Caller,
  app: FastifyInstance
): Promise<AppError | undefined> {
  const { authorization } = caller.credentials
  if (authorization === undefined)
    return app.verifiers.tokens.issuer === undefined ? undefined : noCredentials(messages, caller, app)
  if (messages.every(message => needsNone(message, app))) return undefined
  // Found out before the body was read.
  if (identifiedJustNow(caller) !== undefined) return undefined
  try {
    await byAuthorization(caller, authorization, app.verifiers)
    return undefined
  } catch (thrown) {
    const error = explain(thrown, caller, app.kernel)
    return error.status === 401 ? refuseMessages(error, messages, caller, app) : undefined
  }
}

/**
 * A call of a tool that needs a caller, without any credentials, where clients can get a token from an outside issuer:
 * HTTP 401 is what makes them begin. Without an issuer the call itself is refused, as a tool result.
 */
async function noCredentials(messages: Message[], caller: Caller, app: FastifyInstance): Promise<AppError | undefined> {
  if (!app.verifiers.auth_enabled || hasCredentials(caller)) return undefined
  const call = messages.map(message => needsCaller(message, app)).find(tool => tool !== undefined)
  if (call === undefined) return undefined
  const error = new AppError('AUTHENTICATION_REQUIRED', `${call} needs to know who is calling.`)
  return refuseMessages(error, messages, caller, app)
}

/** Whether a connection brings credentials of its own, good or bad. */
export function hasCredentials({ credentials }: Caller): boolean {
  const { authorization, api_key, mcp_session, local } = credentials
  return authorization !== undefined || api_key !== undefined || local !== undefined || Boolean(mcp_session?.identity)
}

/** The tool that a message calls and that answers known callers alone. */
function needsCaller(message: Message, app: FastifyInstance): string | undefined {
  const tool = app.kernel.find(calledTool(message) ?? '')?.tool
  const given = Object(message.params?.arguments) as Record<string, unknown>
  return tool === undefined || tool.permission === 'none' || (given[AUTH_TOKEN] ?? undefined) !== undefined
    ? undefined
    : tool.name
}

/** Audits, counts and throttles the refusal of messages like the refusal of a call. */
async function refuseMessages(
  error: AppError,
  messages: Message[],
  caller: Caller,
  app: FastifyInstance
): Promise<AppError> {
  const only = messages.length === 1 ? messages[0] : undefined
  const action = (only && app.kernel.find(calledTool(only) ?? '')?.tool.name) ?? NO_TOOL
  const refused = await refuse(error, action, null, caller, app.kernel, only?.params?.arguments)
  observeRefusal(action, refused, caller, app.kernel)
  return refused
}

/**
 * What a client with a stale token needs to get a new one: opening the connection, in either era, and the call that
 * looks at its own key only. Notifications and answers are merely acknowledged.
 */
function needsNone(message: Message, app: FastifyInstance): boolean {
  const { method, id } = message
  if (id === undefined || method === undefined || method === 'initialize' || method === 'server/discover') return true
  return app.kernel.find(calledTool(message) ?? '')?.tool.credentials === 'own'
}
