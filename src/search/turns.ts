import type { Agent } from '../kernel/agent.js'
import { ConcurrencyLimit, createSemaphore, type Semaphore } from '../kernel/semaphore.js'

/** Searches of one agent that run at once; its others wait. A search may keep a core of the database busy. */
const RUNNING_PER_AGENT = 4
/** Searches that run or wait in this process, of all and of one agent; keys and workspaces have a part of all. */
const AT_ONCE = { max: 64, per_agent: 32, what: 'searches at the same time' }

/** Runs a search when it is its agent's turn. @throws AppError RATE_LIMITED or SERVICE_UNAVAILABLE if too many wait */
export type Turns = <T>(agent: Agent, work: () => Promise<T>) => Promise<T>

/** Bounds the searches of one process, so that who searches much leaves room for the others. */
export function createTurns(): Turns {
  const limit = new ConcurrencyLimit(AT_ONCE)
  const agents = new Map<string, { turn: Semaphore; searches: number }>()
  return async (agent, work) => {
    const release = limit.take(agent)
    const name = `${agent.workspace} ${agent.agent_id}`
    const of = agents.get(name) ?? { turn: createSemaphore(RUNNING_PER_AGENT), searches: 0 }
    agents.set(name, of)
    of.searches++
    try {
      return await of.turn(work)
    } finally {
      release()
      if (--of.searches === 0) agents.delete(name)
    }
  }
}
