import type { Agent } from './agent.js'

export const TYPE_PREFIX = 'type:'

type Named = Pick<Agent, 'agent_id' | 'agent_type'>

/**
 * What an address may say of an agent: its name, and its type. A name from before names could not begin with `type:` is
 * no address, since it would stand for a type.
 */
export function addressesOf({ agent_id, agent_type }: Named): string[] {
  const of_type = `${TYPE_PREFIX}${agent_type}`
  return agent_id.startsWith(TYPE_PREFIX) ? [of_type] : [agent_id, of_type]
}

/** Whether one of these addresses is the agent's. */
export function isFor(agent: Named, addresses: readonly string[]): boolean {
  return addressesOf(agent).some(address => addresses.includes(address))
}
