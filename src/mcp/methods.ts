import type { FastifyInstance } from 'fastify'
import { DEFAULT_TOOLSETS } from '../config/toolset-names.js'
import type { Permission } from '../kernel/agent.js'
import { authorize, refuse } from '../kernel/authorize.js'
import { namedAgent } from '../agents/named-agent.js'
import { callTool } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { JsonText, stringify } from '../kernel/json-text.js'
import { hasCredentials } from './credentials.js'
import { INVALID_PARAMS, METHOD_NOT_FOUND, refusal, RpcFailure } from './failure.js'
import { type Question, questionOf } from './confirmation.js'
import { createPrompts } from './prompts.js'
import { createResources, notThere } from './resources.js'
import { getSkill, listSkills } from './skills/catalogue.js'
import { AUTH_TOKEN, createToolLists, type Listing, type McpTool } from './tool-list.js'

export type Params = Record<string, unknown>
export type Result = Record<string, unknown>
export type Method = (params: Params, caller: Caller) => Result | Promise<Result>

export interface Methods {
  has: (name: string) => boolean
  /** What the user must have agreed to before a request. */
  question: (name: string, params: unknown) => Question | undefined
  /** Answers one request. @throws RpcFailure, and nothing else */
  answer: (name: string, params: unknown, caller: Caller) => Promise<Result>
}

/**
 * Every method this server answers, the same for both eras. The SDKs add their own: initialize, ping, server/discover.
 * @param own further methods of one era
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
    ['skills/list', () => listSkills()],
    ['skills/get', async (params, caller) => (await getSkill(text(params, 'uri', caller))) ?? noSkill()],
    ['prompts/list', () => prompts.list],
    ['prompts/get', (params, caller) => prompts.get(text(params, 'name', caller), params.arguments, caller)],
    ...own
  ])
  return {
    has: name => methods.has(name),
    question(method, params) {
      if (method !== 'tools/call') return undefined
      const { name, arguments: args } = Object(params) as { name?: unknown; arguments?: unknown }
      return typeof name === 'string' ? questionOf(app.kernel.find(name)?.tool, args) : undefined
    },
    async answer(name, params, caller) {
      const method = methods.get(name)
      if (method === undefined) throw new RpcFailure(METHOD_NOT_FOUND, 'Method not found')
      try {
        return await method((params ?? {}) as Params, caller)
      } catch (thrown) {
        // The kernel has refused and audited it already.
        if (thrown instanceof RpcFailure) throw thrown
        throw refusal(await refuse(thrown, name, null, caller, app.kernel), caller.request_id)
      }
    }
  }
}

function noSkill(): never {
  throw notThere()
}

/** The permissions for which tools are listed if nobody is known: those that every API key gives. */
const ORDINARY: readonly Permission[] = ['read', 'write']

/**
 * The tools that the caller may call. If its credentials are refused, or the database cannot tell whose they are, the
 * list is the ordinary one: many clients ask for it once, and an error would leave them without tools for as long as
 * they run. Each call checks the credentials again.
 * @throws RpcFailure if the caller has asked too often, or has had too many credentials refused
 */
async function list(caller: Caller, toolsFor: (listing: Listing) => McpTool[], app: FastifyInstance) {
  const { agent, refusal: refused } = await authorize({ name: 'tools/list', permission: 'none' }, caller, app.kernel)
  if (refused?.code === 'RATE_LIMITED') throw refusal(refused, caller.request_id)
  return toolsFor({
    permissions: agent?.permissions ?? ORDINARY,
    auth_token: !hasCredentials(caller),
    named: refused === undefined && (await namedAgent(caller, app.verifiers)) !== undefined,
    output_schemas: caller.output_schemas === true,
    toolsets: caller.toolsets ?? DEFAULT_TOOLSETS
  })
}

async function call(params: Params, caller: Caller, app: FastifyInstance): Promise<Result> {
  const name = text(params, 'name', caller)
  const given = params.arguments ?? {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw refusal(malformed('arguments', 'an object'), caller.request_id)
  const { [AUTH_TOKEN]: auth_token, ...args } = given as Params
  const outcome = await callTool(name, args, withToken(withTrace(caller, params._meta), auth_token), app.kernel)
  if (!outcome.ok && outcome.error.code === 'TOOL_NOT_FOUND')
    throw refusal(outcome.error, caller.request_id, INVALID_PARAMS)
  const json = stringify(outcome.body)
  const content = [{ type: 'text', text: json }]
  // Clients check structured content by the schema that is listed, which describes success alone.
  return outcome.ok ? { content, structuredContent: new JsonText(json) } : { content, isError: true }
}

/** What a client says of its trace in the message itself comes before the HTTP headers, which a proxy may have made. */
function withTrace(caller: Caller, meta: unknown): Caller {
  const { traceparent, tracestate } = Object(meta) as { traceparent?: unknown; tracestate?: unknown }
  if (typeof traceparent !== 'string') return caller
  return { ...caller, trace: { traceparent, ...(typeof tracestate === 'string' && { tracestate }) } }
}

/** `auth_token` is a credential, not an argument; null means absent, as everywhere. */
export function withToken(caller: Caller, given: unknown): Caller {
  if (given === undefined || given === null) return caller
  // What is no text is no token: refused like any bad one.
  const auth_token = typeof given === 'string' ? given : ''
  const { authorization } = caller.credentials
  // Only the Authorization header comes before it.
  const identified = authorization === undefined ? undefined : caller.identified
  return { ...caller, identified, credentials: { ...caller.credentials, auth_token } }
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
