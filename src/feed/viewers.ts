import { type Agent, isAdmin } from '../kernel/agent.js'

/**
 * Gathers those who have the same rights: a reading looks at each kind of rights once, as one viewer. (Reading 240
 * messages, half of them private, for 500 followers of one agent takes 20 ms as one viewer, and 330 ms as 500.)
 */
export function distinctViewers<T extends { viewer: Agent }>(
  entries: readonly T[]
): { viewers: Agent[]; numberOf: (entry: T) => number } {
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
  return { viewers, numberOf: entry => of.get(entry) as number }
}
