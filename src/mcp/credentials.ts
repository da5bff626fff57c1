import { explain, type Kernel, refuseCredentials } from '../core/call.js'
import type { Caller } from '../core/caller.js'
import type { AppError } from '../core/errors.js'
import { slowDown } from '../core/guesses.js'
import { bearer, byToken } from '../core/identify.js'

/** As much of a JSON-RPC message as this front looks at before an SDK does. */
export interface Message {
  method?: string
  id?: string | number
  params?: Record<string, unknown>
}

/** What audit rows name as the action where no tool was called. */
const NO_TOOL = 'mcp'

/**
 * The token in the Authorization header of an MCP request, where it is bad: HTTP 401, whatever the request asks for
 * (contract §3). A database that cannot tell is left to the calls themselves.
 */
export async function refusedToken (messages: Message[], caller: Caller, kernel: Kernel): Promise<AppError | undefined> {
  const { authorization } = caller.credentials
  if (authorization === undefined || messages.every(message => needsNone(message, kernel))) return undefined
  try {
    await byToken(bearer(authorization), kernel.service)
    return undefined
  } catch (thrown) {
    const error = explain(thrown, caller, kernel)
    if (error.status !== 401) return undefined
    const only = messages.length === 1 ? messages[0] : undefined
    const tool = only?.method === 'tools/call' && typeof only.params?.name === 'string' ? kernel.catalogue.find(only.params.name)?.tool.name : undefined
    refuseCredentials(error, tool ?? NO_TOOL, only?.params?.arguments, caller, kernel)
    return slowDown(error, caller, kernel.service)
  }
}

/**
 * What a client with a stale token needs to get a new one: opening the connection, in either era, and the call that looks at
 * its own key only. Notifications and answers are merely acknowledged.
 */
function needsNone ({ method, id, params }: Message, kernel: Kernel): boolean {
  if (id === undefined || method === undefined || method === 'initialize' || method === 'server/discover') return true
  return method === 'tools/call' && typeof params?.name === 'string' && kernel.catalogue.find(params.name)?.tool.credentials === 'own'
}
