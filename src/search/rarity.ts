import { isAdmin } from '../kernel/agent.js'
import { databaseOf } from '../postgres/scope.js'
import { COMMON } from './postings.js'
import type { Search } from './reach.js'
import { isNarrowed } from './filter.js'
import type { Unit } from './query.js'

/** A session of fewer messages is taken for one of so many: what is in most of three messages is not yet common. */
export const MESSAGES_MIN = 50

export interface Rarity {
  /** How many messages that the viewer may see hold each unit, up to COMMON. */
  counts: number[]
  /** What each unit weighs: the rarer the more. */
  weights: number[]
}

/**
 * How rare each unit is in what the viewer may see. What function words are worth cannot be counted, since they are not
 * in the index: 1.
 */
export function rarityOf(units: readonly Unit[], counts: number[], messages: number): Rarity {
  const all = Math.max(messages, 2 * Math.max(0, ...counts), MESSAGES_MIN)
  return {
    counts,
    weights: units.map(({ terms }, i) => (terms.length > 0 ? weightOf(counts[i] as number, all) : 1))
  }
}

export function weightOf(count: number, all: number): number {
  return Math.log(1 + (all - count + 0.5) / (count + 0.5))
}

const REMEMBERED_MS = 60_000
const REMEMBERED_MAX = 20_000

/**
 * Words that were common a moment ago, by viewer, session and term: they need not be counted again. Each viewer has its
 * own, so that they tell nothing to another.
 */
const commonOf = new WeakMap<object, Map<string, number>>()

/** Whether a unit is known to be common, and a way to remember it. */
export function commonness({ db, viewer, filter }: Search): {
  isCommon: (unit: Unit) => boolean
  remember: (unit: Unit, count: number) => void
} {
  const database = databaseOf(db)
  const common = commonOf.get(database) ?? new Map<string, number>()
  commonOf.set(database, common)
  const { workspace, agent_id, agent_type, sessions } = viewer
  const prefix = JSON.stringify([workspace, filter.session_id, agent_id, agent_type, isAdmin(viewer), sessions])
  const key = ({ terms }: Unit) => `${prefix}${terms.join(';')}`
  const now = performance.now()
  return {
    // What is narrowed may be rare there.
    isCommon: unit => !isNarrowed(filter) && (common.get(key(unit)) ?? 0) > now,
    remember(unit, count) {
      if (count < COMMON) return
      const [oldest] = common.keys()
      if (common.size >= REMEMBERED_MAX && oldest !== undefined) common.delete(oldest)
      common.delete(key(unit))
      common.set(key(unit), now + REMEMBERED_MS)
    }
  }
}
