import type { FastifyInstance } from 'fastify'
import { mayCall } from '../../kernel/authorize.js'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { memoryVersions, memoryOf, sessionVersion, sessionVersions } from '../../feed/store/resource-versions.js'
import type { ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { agentMemory } from '../resources/agent-memory.js'
import { notThere } from '../resources/not-there.js'
import { matcher } from '../resources/resource.js'
import { serverInfo } from '../resources/server-info.js'
import { session } from '../resources/session.js'
import { sessionMessages } from '../resources/session-messages.js'

/** What a resource shows, as far as changes go. */
export type ResourceRef = { session_id: string } | { agent_id: string } | 'fixed'

const ofSession = matcher(session.uri)
const ofMessages = matcher(sessionMessages.uri)
const ofMemory = matcher(agentMemory.uri)
const fixed = [serverInfo.uri, 'docs://tools'].map(matcher)

/** Of get_messages. */
const LIMIT_MAX = 1000

/** What a URI shows; undefined if it is none of a resource. */
export function refOf(uri: string): ResourceRef | undefined {
  const messages = ofMessages(uri)
  if (messages !== undefined)
    return /^\d{1,4}$/.test(messages.limit as string) &&
      Number(messages.limit) >= 1 &&
      Number(messages.limit) <= LIMIT_MAX
      ? { session_id: messages.session_id as string }
      : undefined
  const session_id = ofSession(uri)?.session_id
  if (session_id !== undefined) return { session_id }
  const agent_id = ofMemory(uri)?.agent_id
  if (agent_id !== undefined) return { agent_id }
  return fixed.some(match => match(uri) !== undefined) ? 'fixed' : undefined
}

/** Who subscribes: somebody who may read. @throws AppError */
export async function subscriberOf(caller: Caller, app: FastifyInstance): Promise<Agent> {
  const agent = await app.identify(caller)
  if (agent === null) throw new AppError('AUTHENTICATION_REQUIRED', 'Subscribing needs to know who is calling.')
  if (!mayCall(agent, 'read')) {
    throw new AppError('PERMISSION_DENIED', "This needs the permission 'read'.", {
      context: { required_permission: 'read', current_permissions: agent.permissions }
    })
  }
  return agent
}

/**
 * The version of a resource, for somebody who may read it. A resource that the agent may not see looks like one that is
 * not there.
 * @returns undefined for what never changes
 * @throws AppError
 */
export async function versionOf(uri: string, agent: Agent, app: FastifyInstance): Promise<ResourceVersion | undefined> {
  const db = app.kernel.ports.executorFor(agent.workspace)
  const ref = refOf(uri)
  if (ref === undefined) throw notThere()
  if (ref === 'fixed') return undefined
  if ('session_id' in ref) return sessionVersion(db, agent, ref.session_id)
  if (ref.agent_id !== agent.agent_id) throw notThere()
  return (await memoryVersions(db, [agent])).get(memoryOf(agent)) ?? ''
}

/** The versions of several resources, in two statements at most; of those that the agent may see and that can change. */
export async function versionsOf(
  agent: Agent,
  uris: readonly string[],
  app: FastifyInstance
): Promise<Map<string, ResourceVersion>> {
  const db = app.kernel.ports.executorFor(agent.workspace)
  const refs = new Map(uris.map(uri => [uri, refOf(uri)]))
  const changing = [...refs.values()].filter(ref => typeof ref === 'object')
  const ids = [...new Set(changing.flatMap(ref => ('session_id' in ref ? [ref.session_id] : [])))]
  const [sessions, memories] = await Promise.all([
    ids.length > 0 ? sessionVersions(db, agent, ids) : new Map<string, number>(),
    changing.some(ref => 'agent_id' in ref) ? memoryVersions(db, [agent]) : new Map<string, string>()
  ])
  const versions = new Map<string, ResourceVersion>()
  for (const [uri, ref] of refs) {
    if (typeof ref !== 'object') continue
    const version =
      'session_id' in ref
        ? sessions.get(ref.session_id)
        : ref.agent_id === agent.agent_id
          ? (memories.get(memoryOf(agent)) ?? '')
          : undefined
    if (version !== undefined) versions.set(uri, version)
  }
  return versions
}
