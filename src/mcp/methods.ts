import type { Permission } from '../kernel/agent.js'
import { auditRefusal, callTool, explain, type Kernel } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { throttleFailedAuth } from '../agents/failed-auth-throttle.js'
import { INVALID_PARAMS, METHOD_NOT_FOUND, refusal, rpcFailure, RpcFailure } from './failure.js'
import { listerOf } from './lister.js'
import { createPrompts } from './prompts/index.js'
import { createResources } from './resources/index.js'
import { AUTH_TOKEN, createToolLists, type Listing, type McpTool } from './tool-list.js'

export type Params = Record<string, unknown>
export type Result = Record<string, unknown>
export type Method = (params: Params, caller: Caller) => Result | Promise<Result>

/** The server's capabilities, valid in both protocol eras. */
export const capabilities = { tools: {}, resources: { subscribe: true }, prompts: {} }

export const instructions =
  "A workspace that AI agents share: sessions to meet in, messages with visibility, search, and memory of one's own. " +
  'Authenticate with authenticate_agent unless the connection already carries a key or token, ' +
  'then call get_usage_guidance to see what you may do.'

export interface Methods {
  has: (name: string) => boolean
  /** Answers one request. @throws RpcFailure, and nothing else */
  answer: (name: string, params: unknown, caller: Caller) => Promise<Result>
}

/**
 * Every method this server answers, the same for both eras. The SDKs add their own: initialize, ping, server/discover.
 * @param eraMethods what one era has beyond
 */
export function createMethods(kernel: Kernel, eraMethods: ReadonlyMap<string, Method> = new Map()): Methods {
  const toolsFor = createToolLists(kernel.catalogue.tools)
  const resources = createResources(kernel)
  const prompts = createPrompts(kernel)
  const methods = new Map<string, Method>([
    ['tools/list', async (_params, caller) => ({ tools: await list(caller, toolsFor, kernel) })],
    ['tools/call', (params, caller) => call(params, caller, kernel)],
    ['resources/list', (_params, caller) => resources.list(caller)],
    ['resources/templates/list', () => resources.templates],
    ['resources/read', (params, caller) => resources.read(text(params, 'uri', caller), caller)],
    ['prompts/list', () => prompts.list],
    ['prompts/get', (params, caller) => prompts.get(text(params, 'name', caller), params.arguments, caller)],
    ...eraMethods
  ])
  return {
    has: name => methods.has(name),
    async answer(name, params, caller) {
      const method = methods.get(name)
      if (method === undefined) throw new RpcFailure(METHOD_NOT_FOUND, 'Method not found')
      try {
        return await method((params ?? {}) as Params, caller)
      } catch (thrown) {
        // A call inside the method has already audited this error.
        if (thrown instanceof RpcFailure) throw thrown
        const error = explain(thrown, caller, kernel)
        auditRefusal(error, name, null, caller, kernel)
        throw refusal(await throttleFailedAuth(error, caller, kernel.service), caller.request_id)
      }
    }
  }
}

type ToolsFor = (listing: Listing) => McpTool[]

/** The permissions of the list for unknown callers: those of an ordinary API key. */
const DEFAULT_PERMISSIONS: readonly Permission[] = ['read', 'write']

/**
 * The tools that the caller may call. If the credentials are refused or cannot be checked, it is the default list: many
 * clients request it only once, and an error would leave them without tools. Each call checks the credentials again.
 */
async function list(caller: Caller, toolsFor: ToolsFor, kernel: Kernel): Promise<McpTool[]> {
  const lister = await listerOf('tools/list', caller, kernel)
  const permissions = lister === null || lister instanceof AppError ? DEFAULT_PERMISSIONS : lister.permissions
  return toolsFor({ permissions, auth_token: !hasCredentials(caller), output_schemas: caller.output_schemas === true })
}

async function call(params: Params, caller: Caller, kernel: Kernel): Promise<Result> {
  const name = text(params, 'name', caller)
  const input = params.arguments ?? {}
  if (typeof input !== 'object' || Array.isArray(input))
    throw refusal(invalidParameter('arguments', 'an object'), caller.request_id)
  const { [AUTH_TOKEN]: auth_token, ...args } = input as Params
  const outcome = await callTool(name, args, withToken(caller, auth_token), kernel)
  if (!outcome.ok && outcome.error.code === 'TOOL_NOT_FOUND') {
    throw new RpcFailure(INVALID_PARAMS, outcome.error.message, rpcFailure(outcome.error, outcome.body).data)
  }
  const content = [{ type: 'text', text: JSON.stringify(outcome.body) }]
  // Clients validate structured content against the output schema, which describes successful results only.
  return outcome.ok ? { content, structuredContent: outcome.body } : { content, isError: true }
}

/** `auth_token` is a credential, not an argument; null means absent, as everywhere. */
function withToken(caller: Caller, auth_token: unknown): Caller {
  if (auth_token === undefined || auth_token === null) return caller
  return {
    ...caller,
    credentials: {
      ...caller.credentials, // What is no text is no token: refused like any bad one.
      auth_token: typeof auth_token === 'string' ? auth_token : ''
    }
  }
}

function hasCredentials({ credentials }: Caller): boolean {
  const { authorization, api_key, mcp_session, local } = credentials
  return authorization !== undefined || api_key !== undefined || local !== undefined || Boolean(mcp_session?.identity)
}

export function text(params: Params, name: string, caller: Caller): string {
  const value = params[name]
  if (typeof value !== 'string') throw refusal(invalidParameter(name, 'a string'), caller.request_id)
  return value
}

function invalidParameter(name: string, allowed: string): AppError {
  return new AppError('INVALID_INPUT', `The parameter '${name}' of this request must be ${allowed}.`, {
    context: { argument: name, allowed }
  })
}
