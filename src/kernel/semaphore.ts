import type { Agent } from './agent.js'
import { AppError } from './errors.js'

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>

/** Lets so many through at once; the others wait in their order. */
export function createSemaphore(most: number): Semaphore {
  const waiting: Array<() => void> = []
  let inside = 0
  return async work => {
    if (inside >= most)
      await new Promise<void>(resolve => {
        waiting.push(resolve)
      })
    else inside++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) inside--
      else next()
    }
  }
}

/** The part of all slots that the agents with one key of create_api_key may hold, and that one workspace may hold. */
const KEY_SHARE = 1 / 2
const WORKSPACE_SHARE = 3 / 4

export interface ConcurrencyLimits {
  /** Slots of this process. */
  max: number
  /** Slots that one agent may hold. */
  per_agent: number
  /** What takes a slot, for the error's sentence: 'calls that wait'. */
  what: string
  /** Told when an agent takes a slot. @returns what is called when the slot is free again */
  onTaken?: (agent: Pick<Agent, 'workspace' | 'agent_id'>) => () => void
}

/**
 * Bounds how many calls may wait, streams be open or searches run in this process at the same time, so that one tenant
 * always leaves some to the others. The keys of the configuration have no bound of their own: their callers belong to
 * the operator, and their workspace has one.
 */
export class ConcurrencyLimit {
  private readonly held = new Map<string, number>()
  private slots = 0

  constructor(private readonly limits: ConcurrencyLimits) {}

  /** How many slots there are. */
  get max(): number {
    return this.limits.max
  }

  /** How many slots are taken now. */
  get taken(): number {
    return this.slots
  }

  /**
   * Takes one slot for an agent.
   * @returns what releases the slot; calling it again does nothing
   * @throws AppError SERVICE_UNAVAILABLE if all slots are taken, RATE_LIMITED if those of the agent, its key or its
   * workspace are
   */
  take({ workspace, agent_id, key_id }: Pick<Agent, 'workspace' | 'agent_id' | 'key_id'>): () => void {
    const { max, per_agent, what, onTaken } = this.limits
    if (this.slots >= max) throw new AppError('SERVICE_UNAVAILABLE', `The server has too many ${what}.`)
    const holders: Array<[name: string, most: number, holder: string]> = [
      [`agent ${workspace} ${agent_id}`, per_agent, 'This agent has'],
      [`workspace ${workspace}`, Math.ceil(max * WORKSPACE_SHARE), 'The agents of this workspace have']
    ]
    if (key_id !== undefined)
      holders.push([`key ${key_id}`, Math.ceil(max * KEY_SHARE), 'The agents with this API key have'])
    for (const [name, most, holder] of holders)
      if ((this.held.get(name) ?? 0) >= most)
        throw new AppError('RATE_LIMITED', `${holder} too many ${what}: ${most} at a time are allowed.`, {
          context: { limit: most },
          suggestions: ['End one of them, or wait retry_after seconds and try again']
        })
    this.slots++
    for (const [name] of holders) this.held.set(name, (this.held.get(name) ?? 0) + 1)
    const onFree = onTaken?.({ workspace, agent_id })
    let released = false
    return () => {
      if (released) return
      released = true
      onFree?.()
      this.slots--
      for (const [name] of holders) {
        const left = (this.held.get(name) as number) - 1
        if (left === 0) this.held.delete(name)
        else this.held.set(name, left)
      }
    }
  }
}
