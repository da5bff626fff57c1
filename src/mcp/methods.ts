import type { FastifyInstance } from 'fastify'
import type { Permission } from '../kernel/agent.js'
import { refuse } from '../kernel/authorize.js'
import { callTool } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { JsonText, stringify } from '../kernel/json-text.js'
import { INVALID_PARAMS, METHOD_NOT_FOUND, refusal, rpcFailure, RpcFailure } from './failure.js'
import { listerOf } from './lister.js'
import { createPrompts } from './prompts/index.js'
import { createResources } from './resources/index.js'
import { AUTH_TOKEN, createToolLists, type Listing, type McpTool } from './tool-list.js'

export type Params = Record<string, unknown>
export type Result = Record<string, unknown>
export type Method = (params: Params, caller: Caller) => Result | Promise<Result>

/** What the server offers, in the words of both protocol eras. */
export const capabilities = { tools: {}, resources: { subscribe: true }, prompts: {} }

export const instructions =
  "A workspace that AI agents share: sessions to meet in, messages with visibility, search, and memory of one's own. " +
  'Authenticate with authenticate_agent unless the connection already carries a key or token, then call get_usage_guidance to see what you may do.'

export interface Methods {
  has: (name: string) => boolean
  /** Answers one request. @throws RpcFailure, and nothing else */
  answer: (name: string, params: unknown, caller: Caller) => Promise<Result>
}

/**
 * Every method this server answers, the same for both eras. The SDKs add their own: initialize, ping, server/discover.
 * @param own what one era has beyond
 */
export function createMethods(app: FastifyInstance, own: ReadonlyMap<string, Method> = new Map()): Methods {
  const toolsFor = createToolLists(app.kernel.tools)
  const resources = createResources(app)
  const prompts = createPrompts(app)
  const methods = new Map<string, Method>([
    ['tools/list', async (_params, caller) => ({ tools: await list(caller, toolsFor, app) })],
    ['tools/call', (params, caller) => call(params, caller, app)],
    ['resources/list', (_params, caller) => resources.list(caller)],
    ['resources/templates/list', () => resources.templates],
    ['resources/read', (params, caller) => resources.read(text(params, 'uri', caller), caller)],
    ['prompts/list', () => prompts.list],
    ['prompts/get', (params, caller) => prompts.get(text(params, 'name', caller), params.arguments, caller)],
    ...own
  ])
  return {
    has: name => methods.has(name),
    async answer(name, params, caller) {
      const method = methods.get(name)
      if (method === undefined) throw new RpcFailure(METHOD_NOT_FOUND, 'Method not found')
      try {
        return await method((params ?? {}) as Params, caller)
      } catch (thrown) {
        // Refused by a call in it: told and audited there.
        if (thrown instanceof RpcFailure) throw thrown
        throw refusal(await refuse(thrown, name, null, caller, app.kernel), caller.request_id)
      }
    }
  }
}

type ToolsFor = (listing: Listing) => McpTool[]

/** What the list is made for where nobody is known: an API key allows both. */
const ORDINARY: readonly Permission[] = ['read', 'write']

/**
 * The tools that the caller may call. Where the credentials are refused, or the database cannot tell whose they are,
 * the list is the ordinary one: many clients ask for it once, and an error would leave them without tools for as long
 * as they run. Each call checks the credentials again.
 */
async function list(caller: Caller, toolsFor: ToolsFor, app: FastifyInstance): Promise<McpTool[]> {
  const lister = await listerOf('tools/list', caller, app)
  const permissions = lister === null || lister instanceof AppError ? ORDINARY : lister.permissions
  return toolsFor({ permissions, auth_token: !hasCredentials(caller), output_schemas: caller.output_schemas === true })
}

async function call(params: Params, caller: Caller, app: FastifyInstance): Promise<Result> {
  const name = text(params, 'name', caller)
  const given = params.arguments ?? {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw refusal(malformed('arguments', 'an object'), caller.request_id)
  const { [AUTH_TOKEN]: auth_token, ...args } = given as Params
  const outcome = await callTool(name, args, withToken(caller, auth_token), app.kernel)
  if (!outcome.ok && outcome.error.code === 'TOOL_NOT_FOUND') {
    throw new RpcFailure(INVALID_PARAMS, outcome.error.message, rpcFailure(outcome.error, outcome.body).data)
  }
  const json = stringify(outcome.body)
  const content = [{ type: 'text', text: json }]
  // Clients hold structured content against the schema that is listed, which describes success alone.
  return outcome.ok ? { content, structuredContent: new JsonText(json) } : { content, isError: true }
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
  if (typeof value !== 'string') throw refusal(malformed(name, 'a string'), caller.request_id)
  return value
}

function malformed(name: string, allowed: string): AppError {
  return new AppError('INVALID_INPUT', `The parameter '${name}' of this request must be ${allowed}.`, {
    context: { argument: name, allowed }
  })
}
