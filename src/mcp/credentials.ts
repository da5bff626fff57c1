import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Agent, Permission } from '../kernel/agent.js'
import { authorize, explain, refuse } from '../kernel/authorize.js'
import { observeRefusal } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { byMcpSession } from '../agents/identify.js'
import * as mcpSessions from '../agents/store/mcp-sessions.js'
import type { HeldSession } from '../agents/store/mcp-sessions.js'
import { callerOf } from '../http/caller.js'
import { judge } from '../http/sender.js'
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

/** Who the headers alone say is calling; null if they hold no credentials. @throws AppError for bad ones */
export async function byHeaders(caller: Caller, app: FastifyInstance): Promise<Agent | null> {
  const { auth_token: _, mcp_session: __, ...credentials } = caller.credentials
  return app.identify({ ...caller, identified: undefined, credentials })
}

function hasHeaders({ credentials: { authorization, api_key } }: Caller): boolean {
  return authorization !== undefined || api_key !== undefined
}

/** Whether a connection brings credentials of its own, good or bad. */
export function hasCredentials(caller: Caller): boolean {
  const { mcp_session, local } = caller.credentials
  return hasHeaders(caller) || local !== undefined || Boolean(mcp_session?.identity)
}

/** Up to so many bytes the hook does not check who sends the body: most messages are shorter. */
const SHORT_BYTES = 4096
/** For so many milliseconds the request reuses the row that the hook has read. */
const ROW_MS = 100

export function createSenders(app: FastifyInstance, lookUp: mcpSessions.LookUp) {
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
      request.sender = await judge(caller, NO_TOOL, app, async () => {
        if (hasHeaders(caller)) return (await byHeaders(caller, app)) !== null
        const id = sessionIdOf(request)
        const row = id === undefined ? undefined : await find(id)
        if (id !== undefined) rows.set(request, { row, at: performance.now() })
        return row?.identity ? (await byMcpSession(row.identity, app.verifiers)) !== null : false
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
 * The refusal of bad credentials in a header: HTTP 401, whatever the messages ask for, since a client that looks
 * connected and can call nothing helps nobody (docs/semantics.md, Identity). If the database cannot tell, the calls
 * themselves find out.
 */
export async function refusedHeaders(
  messages: Message[],
  caller: Caller,
  app: FastifyInstance
): Promise<AppError | undefined> {
  if (!hasHeaders(caller))
    return app.verifiers.tokens.issuer === undefined ? undefined : noCredentials(messages, caller, app)
  try {
    const agent = await byHeaders(caller, app)
    const { authorization, mcp_session } = caller.credentials
    // The calls find out the same, unless the MCP session says who calls.
    if (authorization !== undefined || !mcp_session?.identity) caller.identified = { agent, at: performance.now() }
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
