import { explain, type Kernel, refuseCredentials } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
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
export async function refusedToken(messages: Message[], caller: Caller, kernel: Kernel): Promise<AppError | undefined> {
  const { authorization } = caller.credentials
  if (authorization === undefined)
    return kernel.service.tokens.issuer === undefined ? undefined : noCredentials(messages, caller, kernel)
  if (messages.every(message => needsNone(message, kernel))) return undefined
  // Found out before the body was read.
  if (identifiedJustNow(caller) !== undefined) return undefined
  try {
    await byToken(bearer(authorization), kernel.service)
    return undefined
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    if (error.status !== 401) return undefined
    tellRefusal(error, messages, caller, kernel)
    return throttleFailedAuth(error, caller, kernel.service)
  }
}

/**
 * A call of a tool that needs a caller, without credentials of any kind, where clients can get a token from an outside
 * issuer: HTTP 401 is what makes them begin. Without an issuer the call answers for itself, as a tool result.
 */
function noCredentials(messages: Message[], caller: Caller, kernel: Kernel): AppError | undefined {
  const { api_key, local, mcp_session } = caller.credentials
  if (!kernel.service.auth_enabled || api_key !== undefined || local !== undefined || mcp_session?.identity)
    return undefined
  const call = messages.map(message => needsCaller(message, kernel)).find(tool => tool !== undefined)
  if (call === undefined) return undefined
  const error = new AppError('AUTHENTICATION_REQUIRED', `${call} needs to know who is calling.`)
  tellRefusal(error, messages, caller, kernel)
  return error
}

function needsCaller({ method, id, params }: Message, kernel: Kernel): string | undefined {
  if (id === undefined || method !== 'tools/call' || typeof params?.name !== 'string') return undefined
  const given = Object(params.arguments) as Record<string, unknown>
  const tool = kernel.catalogue.find(params.name)?.tool
  return tool === undefined || tool.permission === 'none' || (given[AUTH_TOKEN] ?? undefined) !== undefined
    ? undefined
    : tool.name
}

function tellRefusal(error: AppError, messages: Message[], caller: Caller, kernel: Kernel): void {
  const only = messages.length === 1 ? messages[0] : undefined
  const tool =
    only?.method === 'tools/call' && typeof only.params?.name === 'string'
      ? kernel.catalogue.find(only.params.name)?.tool.name
      : undefined
  refuseCredentials(error, tool ?? NO_TOOL, only?.params?.arguments, caller, kernel)
}

/**
 * What a client with a stale token needs to get a new one: opening the connection, in either era, and the call that
 * looks at its own key only. Notifications and answers are merely acknowledged.
 */
function needsNone({ method, id, params }: Message, kernel: Kernel): boolean {
  if (id === undefined || method === undefined || method === 'initialize' || method === 'server/discover') return true
  return (
    method === 'tools/call' &&
    typeof params?.name === 'string' &&
    kernel.catalogue.find(params.name)?.tool.credentials === 'own'
  )
}
