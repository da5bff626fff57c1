import type { Agent } from '../kernel/agent.js'
import { ownerOf, type RecentOwners } from '../kernel/recent-owners.js'
import { ConcurrencyLimit } from '../kernel/semaphore.js'

/** Searches that run or wait in this process, of all and of one agent; keys and workspaces have a part of all. */
const HELD = { max: 64, per_agent: 32, what: 'searches at the same time' }
/** Searches of one agent that run at once; its others wait. A search may keep a core of the database busy. */
const RUNNING_PER_AGENT = 4
/** A search that takes longer is dear. Ordinary ones take some milliseconds. */
const DEAR_MS = 50
/** An owner is taken to search dearly for so long after its last dear search. */
const DEAR_FOR_MS = 10_000
/** After a dear search its owner's next one waits so many times as long as that took, for this long at most. */
const REST = 4
const REST_MAX_MS = 5000
/** What an owner has spent counts half after so long. */
const HALF_LIFE_MS = 5000

/** Runs a search when it is its turn. @throws AppError RATE_LIMITED or SERVICE_UNAVAILABLE if too many wait */
export type LimitSearch = <T>(agent: Agent, work: () => Promise<T>) => Promise<T>

interface Owner {
  name: string
  running: number
  /** Milliseconds that its searches have taken lately, as they counted at that time. */
  spent_ms: number
  spent_at: number
  /** By performance.now(): until then it searches dearly, and until then its next search waits. */
  is_dear_until: number
  rests_until: number
}

function newOwner(name: string): Owner {
  return { name, running: 0, spent_ms: 0, spent_at: 0, is_dear_until: -Infinity, rests_until: -Infinity }
}

function spentOf({ spent_ms, spent_at }: Owner, now: number): number {
  return spent_ms * 2 ** ((spent_at - now) / HALF_LIFE_MS)
}

/**
 * Bounds the searches of one process, so that whoever searches much leaves room for the others: so many run at once,
 * of all and of one agent. An owner (kernel/recent-owners.ts) whose searches are dear, and take more of the time than
 * those of owners who search do on average, runs one at a time and rests between them, while other owners call.
 * `npm run attack:searches` shows what the others notice.
 * @param running_max how many run at once: they must leave connections to the database for everything else
 */
export function createSearchLimit(running_max: number, owners_now: RecentOwners): LimitSearch {
  const limit = new ConcurrencyLimit(HELD)
  const owners = new Map<string, Owner>()
  const agents = new Map<string, number>()
  const waiting: Array<{ agent: string; owner: Owner; start: () => void }> = []
  let running = 0
  let timer: NodeJS.Timeout | undefined

  function isHeavy(owner: Owner, now: number): boolean {
    const all = [...owners.values()].reduce((sum, of) => sum + spentOf(of, now), 0)
    return spentOf(owner, now) >= all / owners.size
  }

  /** Milliseconds until a search may start, if nothing else ends: 0 is now, Infinity is when something has ended. */
  function startsIn(agent: string, owner: Owner, now: number): number {
    if (running >= running_max || (agents.get(agent) ?? 0) >= RUNNING_PER_AGENT) return Infinity
    if (now >= owner.is_dear_until || !isHeavy(owner, now) || !owners_now.hasOthersThan(owner.name)) return 0
    return owner.running > 0 ? Infinity : Math.max(0, owner.rests_until - now)
  }

  /** Starts what may start, in the order in which it came. */
  function startWaiting(): void {
    clearTimeout(timer)
    const now = performance.now()
    let next_ms = Infinity
    for (let i = 0; i < waiting.length;) {
      const { agent, owner, start } = waiting[i] as (typeof waiting)[0]
      const in_ms = startsIn(agent, owner, now)
      if (in_ms > 0) {
        next_ms = Math.min(next_ms, in_ms)
        i++
        continue
      }
      waiting.splice(i, 1)
      running++
      owner.running++
      agents.set(agent, (agents.get(agent) ?? 0) + 1)
      start()
    }
    if (next_ms < Infinity) timer = setTimeout(startWaiting, Math.ceil(next_ms))
  }

  function end(agent: string, owner: Owner, took_ms: number): void {
    const now = performance.now()
    running--
    owner.running--
    const left = (agents.get(agent) ?? 0) - 1
    if (left > 0) agents.set(agent, left)
    else agents.delete(agent)
    owner.spent_ms = spentOf(owner, now) + took_ms
    owner.spent_at = now
    if (took_ms > DEAR_MS) {
      owner.is_dear_until = now + DEAR_FOR_MS
      owner.rests_until = now + Math.min(REST_MAX_MS, took_ms * REST)
    }
    for (const [name, { running: still, is_dear_until }] of owners)
      if (still === 0 && now >= is_dear_until && !waiting.some(one => one.owner.name === name)) owners.delete(name)
    startWaiting()
  }

  return async (agent, work) => {
    const release = limit.take(agent)
    const name = `${agent.workspace} ${agent.agent_id}`
    const of = ownerOf(agent)
    const owner = owners.get(of) ?? newOwner(of)
    owners.set(of, owner)
    await new Promise<void>(start => {
      waiting.push({ agent: name, owner, start })
      startWaiting()
    })
    const began = performance.now()
    try {
      return await work()
    } finally {
      release()
      end(name, owner, performance.now() - began)
    }
  }
}
