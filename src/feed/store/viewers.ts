import { type Agent, isAdmin } from '../../kernel/agent.js'

/** Followers with the same rights are one viewer of a reading. */
export function distinct<T extends { viewer: Agent }>(entries: readonly T[]): { viewers: Agent[]; of: Map<T, number> } {
  const viewers: Agent[] = []
  const numbers = new Map<string, number>()
  const of = new Map<T, number>()
  for (const entry of entries) {
    const { agent_id, agent_type, sessions } = entry.viewer
    const rights = JSON.stringify([agent_id, agent_type, isAdmin(entry.viewer), sessions])
    let number = numbers.get(rights)
    if (number === undefined) {
      number = viewers.push(entry.viewer) - 1
      numbers.set(rights, number)
    }
    of.set(entry, number)
  }
  return { viewers, of }
}
