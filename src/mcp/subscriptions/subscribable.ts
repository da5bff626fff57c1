import type { FastifyInstance } from 'fastify'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import { mayCall } from '../../kernel/authorize.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { memoryTopic, sessionTopic, type Topic } from '../../kernel/events.js'
import { versionsOf as topicVersions } from '../../feed/store/topics.js'
import type { ResourceVersion } from '../../agents/store/mcp-sessions.js'
import { readSessionOrThrow } from '../../sessions/store/sessions.js'
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
  if ('session_id' in ref) return (await readSessionOrThrow(db, agent, ref.session_id)).last_seq
  if (ref.agent_id !== agent.agent_id) throw notThere()
  const topic = memoryTopic(agent.workspace, agent.agent_id)
  return (await topicVersions(db, [topic])).get(topic) ?? ''
}

/** The versions of those resources that the agent may see and that can change. */
export async function versionsOf(
  agent: Agent,
  uris: readonly string[],
  app: FastifyInstance
): Promise<Map<string, ResourceVersion>> {
  const topics = new Map<string, Topic>()
  for (const uri of uris) {
    const topic = topicOf(refOf(uri), agent)
    if (topic !== undefined) topics.set(uri, topic)
  }
  const found = await topicVersions(app.kernel.ports.executorFor(agent.workspace), [...new Set(topics.values())])
  const versions = new Map<string, ResourceVersion>()
  for (const [uri, topic] of topics) {
    const version = found.get(topic) ?? ''
    // A session without a version is gone.
    if (!topic.startsWith('session:')) versions.set(uri, version)
    else if (version !== '') versions.set(uri, Number(version))
  }
  return versions
}

function topicOf(ref: ResourceRef | undefined, agent: Agent): Topic | undefined {
  if (ref === undefined || ref === 'fixed') return undefined
  if ('session_id' in ref)
    return mayEnter(agent, ref.session_id) ? sessionTopic(agent.workspace, ref.session_id) : undefined
  return ref.agent_id === agent.agent_id ? memoryTopic(agent.workspace, agent.agent_id) : undefined
}
