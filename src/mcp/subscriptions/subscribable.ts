import type { FastifyInstance } from 'fastify'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { memoryVersions, memoryOf, sessionVersion, sessionVersions } from '../../feed/store/resource-versions.js'
import { type ResourceVersion, SUBSCRIPTIONS_MAX } from '../../agents/store/mcp-sessions.js'
import { admit } from '../credentials.js'
import { notThere, refOf } from '../resources.js'

/** Who subscribes: an agent that may read. @throws RpcFailure */
export async function admitSubscriber(method: string, caller: Caller, app: FastifyInstance): Promise<Agent> {
  return (await admit(method, 'read', caller, app)) as Agent
}

/**
 * The version of a resource, for an agent that may read it. A resource that the agent may not see looks like one that
 * does not exist.
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

/** The versions of those resources that the agent may see and that can change; two statements at most. */
export async function versionsOf(
  agent: Agent,
  uris: readonly string[],
  app: FastifyInstance
): Promise<Map<string, ResourceVersion>> {
  const db = app.kernel.ports.executorFor(agent.workspace)
  const refs = uris.flatMap(uri => {
    const ref = refOf(uri)
    return typeof ref === 'object' ? [{ uri, ref }] : []
  })
  const ids = [...new Set(refs.flatMap(({ ref }) => ('session_id' in ref ? [ref.session_id] : [])))]
  const [sessions, memories] = await Promise.all([
    ids.length > 0 ? sessionVersions(db, agent, ids) : new Map<string, number>(),
    refs.some(({ ref }) => 'agent_id' in ref) ? memoryVersions(db, [agent]) : new Map<string, string>()
  ])
  const versions = new Map<string, ResourceVersion>()
  for (const { uri, ref } of refs) {
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
