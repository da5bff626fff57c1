import { explain, type Kernel, refuseCredentials } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
import { bearer, byToken, identifiedJustNow } from '../agents/identify.js'
import { AUTH_TOKEN } from './tool-list.js'

/** The fields of a JSON-RPC message that are read before an SDK handles it. */
export interface Message {
  method?: string
  id?: string | number
  params?: Record<string, unknown>
}

/** The action in audit rows of requests that call no tool. */
export const NO_TOOL = 'mcp'

/**
 * Checks the token in the Authorization header of an MCP request: an invalid one gets HTTP 401, whatever the request
 * asks for (docs/semantics.md, Identity). If the database cannot be asked, the calls themselves report it.
 */
export async function refusedToken(messages: Message[], caller: Caller, kernel: Kernel): Promise<AppError | undefined> {
  const { authorization } = caller.credentials
  if (authorization === undefined)
    return kernel.service.tokens.issuer === undefined ? undefined : noCredentials(messages, caller, kernel)
  if (messages.every(message => needsNoToken(message, kernel))) return undefined
  // The token was checked before the body was read.
  if (identifiedJustNow(caller) !== undefined) return undefined
  try {
    await byToken(bearer(authorization), kernel.service)
    return undefined
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    if (error.status !== 401) return undefined
    auditRefusal(error, messages, caller, kernel)
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
  auditRefusal(error, messages, caller, kernel)
  return error
}

function needsCaller({ method, id, params }: Message, kernel: Kernel): string | undefined {
  if (id === undefined || method !== 'tools/call' || typeof params?.name !== 'string') return undefined
  const args = Object(params.arguments) as Record<string, unknown>
  const tool = kernel.catalogue.find(params.name)?.tool
  return tool === undefined || tool.permission === 'none' || (args[AUTH_TOKEN] ?? undefined) !== undefined
    ? undefined
    : tool.name
}

function auditRefusal(error: AppError, messages: Message[], caller: Caller, kernel: Kernel): void {
  const only = messages.length === 1 ? messages[0] : undefined
  const tool =
    only?.method === 'tools/call' && typeof only.params?.name === 'string'
      ? kernel.catalogue.find(only.params.name)?.tool.name
      : undefined
  refuseCredentials(error, tool ?? NO_TOOL, only?.params?.arguments, caller, kernel)
}

/**
 * Messages that a client with an expired token needs to get a new one: opening a connection, and the tool that brings
 * its own credentials. Notifications and responses need no token either: they are only acknowledged.
 */
function needsNoToken({ method, id, params }: Message, kernel: Kernel): boolean {
  if (id === undefined || method === undefined || method === 'initialize' || method === 'server/discover') return true
  return (
    method === 'tools/call' &&
    typeof params?.name === 'string' &&
    kernel.catalogue.find(params.name)?.tool.credentials === 'own'
  )
}
