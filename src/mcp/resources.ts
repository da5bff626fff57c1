import type { FastifyInstance } from 'fastify'
import { authorize } from '../kernel/authorize.js'
import { callTool } from '../kernel/call.js'
import type { Caller } from '../kernel/caller.js'
import { isSameName } from '../kernel/names.js'
import { AppError } from '../kernel/errors.js'
import { VISIBILITIES } from '../kernel/visibilities.js'
import { answerOf, refusal } from './failure.js'
import { SKILLS } from './skills/texts.js'
import { toolDocs } from './tool-list.js'

/** What a resource shows, as far as changes go. */
export type ResourceRef = { session_id: string } | { agent_id: string } | 'fixed'

/** The parts of an address that a template names, decoded. */
type Parts = Record<string, string>

/** Something to read at an address, besides what the tools answer. */
interface Resource {
  name: string
  title: string
  description: string
  mimeType: string
  /** An address, or with {…} a template of addresses. */
  uri: string
  /** What can change; undefined if the parts make no address of this resource. */
  refOf: (parts: Parts) => ResourceRef | undefined
  /** The text. @throws RpcFailure or AppError */
  read: (parts: Parts, caller: Caller, app: FastifyInstance) => string | Promise<string>
}

const serverInfo: Resource = {
  name: 'server-info',
  title: 'This server',
  description: 'Name, version, how to authenticate and what the server offers',
  mimeType: 'application/json',
  uri: 'server://info',
  refOf: () => 'fixed',
  read(_parts, _caller, { about, kernel, verifiers }) {
    return json({
      name: about.name,
      version: about.version,
      description: 'A workspace that AI agents share: sessions, messages, search and memory.',
      authentication: verifiers.auth_enabled
        ? 'Authorization: Bearer <token of authenticate_agent>; or X-API-Key, with X-Agent-Id to choose a name'
        : 'not required: callers without credentials may read and write',
      token_life_seconds: verifiers.tokens.expires_in,
      permissions: ['read', 'write', 'admin'],
      visibilities: [...VISIBILITIES],
      tools: kernel.tools.map(tool => tool.name),
      documentation: ['docs://tools', '/docs', '/openapi.json']
    })
  }
}

const toolPage: Resource = {
  name: 'tool-docs',
  title: 'The tools',
  description: 'Every tool with its arguments and the permission it needs',
  mimeType: 'text/markdown',
  uri: 'docs://tools',
  refOf: () => 'fixed',
  read: (_parts, _caller, { kernel }) => toolDocs(kernel.tools)
}

const session: Resource = {
  name: 'session',
  title: 'A session',
  description: 'A session, its newest messages that you may see (newest first), and its statistics',
  mimeType: 'application/json',
  uri: 'session://{session_id}',
  refOf: ({ session_id = '' }) => ({ session_id }),
  async read({ session_id }, caller, app) {
    const answer = answerOf(await callTool('get_session', { session_id }, caller, app.kernel))
    const { session, messages } = answer as { session: Record<string, unknown>; messages: unknown[] }
    const { message_count, message_count_is_estimate, participants, last_activity } = session
    return json({
      session,
      messages,
      statistics: {
        message_count,
        message_count_is_estimate,
        messages_shown: messages.length,
        participants,
        last_activity
      }
    })
  }
}

/** Of get_messages. */
const LIMIT_MAX = 1000

const sessionMessages: Resource = {
  name: 'session-messages',
  title: 'The newest messages of a session',
  description:
    'The newest messages of a session that you may see, as many as limit says, in the order they were written',
  mimeType: 'application/json',
  uri: 'session://{session_id}/messages/{limit}',
  refOf: ({ session_id = '', limit = '' }) =>
    /^\d{1,4}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIMIT_MAX ? { session_id } : undefined,
  async read({ session_id, limit }, caller, app) {
    const { success, ...answer } = answerOf(await callTool('get_messages', { session_id, limit }, caller, app.kernel))
    return json(answer)
  }
}

/** list_memory has pages for more. */
const ENTRIES_MAX = 200

const agentMemory: Resource = {
  name: 'agent-memory',
  title: 'Your memory',
  description: 'The keys you have stored in every scope, last updated first; yours alone. get_memory reads a value.',
  mimeType: 'application/json',
  uri: 'agent://{agent_id}/memory',
  refOf: ({ agent_id = '' }) => ({ agent_id }),
  async read({ agent_id }, caller, app) {
    const { entries, count, has_more } = answerOf(
      await callTool('list_memory', { session_id: 'all', limit: ENTRIES_MAX }, caller, app.kernel)
    )
    const own = (await app.identify(caller))?.agent_id
    if (own === undefined || agent_id === undefined || !isSameName(own, agent_id)) throw notThere()
    return json({ agent_id, entries, count, has_more })
  }
}

const skillFile: Resource = {
  name: 'skill',
  title: 'A skill',
  description: 'How to work here, for agents that read skills; skills/list names them',
  mimeType: 'text/markdown',
  uri: 'skill://{name}/SKILL.md',
  refOf: () => 'fixed',
  read({ name = '' }) {
    const text = Object.hasOwn(SKILLS, name) ? SKILLS[name] : undefined
    if (text === undefined) throw notThere()
    return text
  }
}

const resources = [serverInfo, toolPage, skillFile, session, sessionMessages, agentMemory]
const places = resources.map(resource => ({ resource, match: matcher(resource.uri) }))

/** For a resource's address, the function that takes an address apart; undefined for another resource's. */
function matcher(uri: string): (address: string) => Parts | undefined {
  const pattern = uri.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  const fullPattern = new RegExp(`^${pattern}/?$`)
  return address => {
    const found = fullPattern.exec(address)
    try {
      return (
        (found &&
          Object.fromEntries(
            Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])
          )) ??
        undefined
      )
    } catch {
      return undefined
    }
  }
}

/** What the resource at an address shows; undefined if there is none. */
export function refOf(uri: string): ResourceRef | undefined {
  for (const { resource, match } of places) {
    const parts = match(uri)
    if (parts !== undefined) return resource.refOf(parts)
  }
  return undefined
}

/** Sessions that resources/list names: the newest. */
const SESSIONS_LISTED = 50

interface ListedSession {
  id: string
  purpose: string
  message_count: number
  last_activity: string
  is_active: boolean
}

export function createResources(app: FastifyInstance) {
  const entries = resources.map(({ refOf, read, ...entry }) => entry)
  const fixed = entries.filter(({ uri }) => !uri.includes('{'))
  const templates = entries
    .filter(({ uri }) => uri.includes('{'))
    .map(({ uri: uriTemplate, ...entry }) => ({ uriTemplate, ...entry }))
  return {
    templates: { resourceTemplates: templates },
    /** Open to everybody; a caller who is known gets its own resources and what it may see as well. */
    async list(caller: Caller) {
      const { agent, refusal: refused } = await authorize(
        { name: 'resources/list', permission: 'none' },
        caller,
        app.kernel
      )
      if (refused !== undefined && refused.status !== 401) throw refusal(refused, caller.request_id)
      if (agent === null) return { resources: fixed }
      const { sessions } = answerOf(
        await callTool('list_sessions', { limit: SESSIONS_LISTED }, caller, app.kernel)
      ) as { sessions: ListedSession[] }
      const { refOf, read, ...memory } = agentMemory
      memory.uri = `agent://${encodeURIComponent(agent.agent_id)}/memory`
      return { resources: [...fixed, memory, ...sessions.map(sessionEntry)] }
    },
    async read(uri: string, caller: Caller) {
      for (const { resource, match } of places) {
        const parts = match(uri)
        if (parts !== undefined)
          return { contents: [{ uri, mimeType: resource.mimeType, text: await resource.read(parts, caller, app) }] }
      }
      throw notThere()
    }
  }
}

function sessionEntry({ id, purpose, message_count, last_activity, is_active }: ListedSession) {
  return {
    uri: `session://${id}`,
    name: id,
    title: [...purpose].slice(0, 100).join(''),
    description:
      `${is_active ? 'Open' : 'Closed'}, ${message_count} messages you may see, ` + `last activity ${last_activity}`,
    mimeType: session.mimeType
  }
}

/** The same words for what does not exist and for what is somebody else's. */
export function notThere(): AppError {
  return new AppError('TOOL_NOT_FOUND', 'There is no resource at that URI.', {
    suggestions: ['Read a URI that resources/list names, or one made from a template of resources/templates/list']
  })
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
