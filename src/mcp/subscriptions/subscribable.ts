import type { FastifyInstance } from 'fastify'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { memoryTopic, sessionTopic, type Topic } from '../../kernel/events.js'
import { versionsOf as topicVersions } from '../../feed/store/topics.js'
import { type ResourceVersion, SUBSCRIPTIONS_MAX } from '../../agents/store/mcp-sessions.js'
import { readSessionOrThrow } from '../../sessions/store/sessions.js'
import { admit } from '../credentials.js'
import { notThere, refOf, type ResourceRef } from '../resources.js'

/** Who subscribes: an agent that may read. @throws RpcFailure */
export async function admitSubscriber(method: string, caller: Caller, app: FastifyInstance): Promise<Agent> {
  return (await admit(method, 'read', caller, app)) as Agent
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

export function tooManySubscriptions(): AppError {
  return new AppError(
    'INVALID_INPUT',
    `One connection may be subscribed to ${SUBSCRIPTIONS_MAX} resources at a time.`,
    {
      context: { argument: 'uri', allowed: `at most ${SUBSCRIPTIONS_MAX} subscriptions` },
      suggestions: ['Unsubscribe from a resource you no longer follow', 'Or open another connection']
    }
  )
}
