import type { FastifyInstance } from 'fastify'
import { explain, refuse } from '../kernel/authorize.js'
import { observeRefusal } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { bearer, byToken, identifiedJustNow } from '../agents/identify.js'
import { AUTH_TOKEN } from './tool-list.js'

/** As much of a JSON-RPC message as this front looks at before an SDK does. */
export interface Message {
  method?: string
  id?: string | number
  params?: Record<string, unknown>
}

/** What audit rows name as the action where no tool was called. */
export const NO_TOOL = 'mcp'

/**
 * The token in the Authorization header of an MCP request, where it is bad: HTTP 401, whatever the request asks for
 * (docs/semantics.md, Identity). A database that cannot tell is left to the calls themselves.
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
    await byToken(bearer(authorization), app.verifiers)
    return undefined
  } catch (thrown) {
    const error = explain(thrown, caller, app.kernel)
    if (error.status !== 401) return undefined
    return refuseMessages(error, messages, caller, app)
  }
}

/**
 * A call of a tool that needs a caller, without credentials of any kind, where clients can get a token from an outside
 * issuer: HTTP 401 is what makes them begin. Without an issuer the call answers for itself, as a tool result.
 */
async function noCredentials(messages: Message[], caller: Caller, app: FastifyInstance): Promise<AppError | undefined> {
  const { api_key, local, mcp_session } = caller.credentials
  if (!app.verifiers.auth_enabled || api_key !== undefined || local !== undefined || mcp_session?.identity)
    return undefined
  const call = messages.map(message => needsCaller(message, app)).find(tool => tool !== undefined)
  if (call === undefined) return undefined
  const error = new AppError('AUTHENTICATION_REQUIRED', `${call} needs to know who is calling.`)
  return refuseMessages(error, messages, caller, app)
}

function needsCaller({ method, id, params }: Message, app: FastifyInstance): string | undefined {
  if (id === undefined || method !== 'tools/call' || typeof params?.name !== 'string') return undefined
  const given = Object(params.arguments) as Record<string, unknown>
  const tool = app.kernel.find(params.name)?.tool
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
  const tool =
    only?.method === 'tools/call' && typeof only.params?.name === 'string'
      ? app.kernel.find(only.params.name)?.tool.name
      : undefined
  const action = tool ?? NO_TOOL
  const refusal = await refuse(error, action, null, caller, app.kernel, only?.params?.arguments)
  observeRefusal(action, refusal, caller, app.kernel)
  return refusal
}

/**
 * What a client with a stale token needs to get a new one: opening the connection, in either era, and the call that
 * looks at its own key only. Notifications and answers are merely acknowledged.
 */
function needsNone({ method, id, params }: Message, app: FastifyInstance): boolean {
  if (id === undefined || method === undefined || method === 'initialize' || method === 'server/discover') return true
  return (
    method === 'tools/call' &&
    typeof params?.name === 'string' &&
    app.kernel.find(params.name)?.tool.credentials === 'own'
  )
}
