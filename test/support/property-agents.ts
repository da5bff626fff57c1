import fc from 'fast-check'

export interface PropertyAgent {
  agent_id: string
  agent_type: string
  admin: boolean
}

/** Agents for property tests: all of them, and any one of them. */
export function propertyAgents(...rows: Array<[agent_id: string, agent_type: string, admin: boolean]>) {
  const agents = rows.map(([agent_id, agent_type, admin]): PropertyAgent => ({ agent_id, agent_type, admin }))
  return { agents, anAgent: fc.constantFrom(...agents) }
}
