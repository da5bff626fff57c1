import type { Agent } from '../kernel/agent.js'
import { TYPE_PREFIX } from '../kernel/shapes.js'

/**
 * What an address may say of an agent: its name, and its type. A name from before names could not begin with `type:` is
 * no address, since it would stand for a type.
 */
export function addressesOf({ agent_id, agent_type }: Pick<Agent, 'agent_id' | 'agent_type'>): string[] {
  const of_type = `${TYPE_PREFIX}${agent_type}`
  return agent_id.startsWith(TYPE_PREFIX) ? [of_type] : [agent_id, of_type]
}
