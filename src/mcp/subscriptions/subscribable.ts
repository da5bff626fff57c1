import type { FastifyInstance } from 'fastify'
import { mayCall } from '../../kernel/authorize.js'
import type { Agent } from '../../kernel/agent.js'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { identify } from '../../agents/identify.js'
import { memoryVersions, memoryOf, sessionVersion } from '../../feed/store/resource-versions.js'
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

/** Where a URI's changes come from; undefined for one of no resource. */
export function placeOf(uri: string): ResourceRef | undefined {
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
  const agent = await identify(caller, app.verifiers)
  if (agent === null) throw new AppError('AUTHENTICATION_REQUIRED', 'Subscribing needs to know who is calling.')
  if (!mayCall(agent, 'read')) {
    throw new AppError('PERMISSION_DENIED', "This needs the permission 'read'.", {
      context: { required_permission: 'read', current_permissions: agent.permissions }
    })
  }
  return agent
}

/**
 * How far a resource has come, for somebody who may read it; what is not theirs to see is not there.
 * @returns undefined for what never changes
 * @throws AppError
 */
export async function markOf(uri: string, agent: Agent, app: FastifyInstance): Promise<ResourceVersion | undefined> {
  const db = app.kernel.ports.executorFor(agent.workspace)
  const place = placeOf(uri)
  if (place === undefined) throw notThere()
  if (place === 'fixed') return undefined
  if ('session_id' in place) return sessionVersion(db, agent, place.session_id)
  if (place.agent_id !== agent.agent_id) throw notThere()
  return (await memoryVersions(db, [agent])).get(memoryOf(agent)) ?? ''
}
