import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'

/** Bounds how many calls may wait, or streams be open, at the same time. */
export interface ConcurrencyLimit {
  /**
   * Takes one slot for an agent.
   * @returns what releases the slot; calling it again does nothing
   * @throws AppError SERVICE_UNAVAILABLE if all slots of this replica are taken, RATE_LIMITED if the agent's are
   */
  take: (agent: Agent) => () => void
  /** How many slots are taken now. */
  taken: () => number
}

/** @param what for the sentence a caller reads: 'calls that wait' */
export function createConcurrencyLimit({
  max,
  per_agent,
  what
}: {
  max: number
  per_agent: number
  what: string
}): ConcurrencyLimit {
  const held = new Map<string, number>()
  let taken = 0
  return {
    take({ workspace, agent_id }) {
      if (taken >= max) throw new AppError('SERVICE_UNAVAILABLE', `The server has too many ${what}.`)
      const who = `${workspace}:${agent_id}`
      const mine = held.get(who) ?? 0
      if (mine >= per_agent) {
        throw new AppError('RATE_LIMITED', `This agent has too many ${what}: ${per_agent} at a time are allowed.`, {
          context: { limit: per_agent },
          suggestions: ['End one of them, or wait retry_after seconds and try again']
        })
      }
      held.set(who, mine + 1)
      taken++
      let given = false
      return () => {
        if (given) return
        given = true
        taken--
        const left = (held.get(who) as number) - 1
        if (left === 0) held.delete(who)
        else held.set(who, left)
      }
    },
    taken: () => taken
  }
}
