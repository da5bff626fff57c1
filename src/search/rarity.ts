import { sql } from 'kysely'
import { isAdmin } from '../kernel/agent.js'
import { databaseOf } from '../postgres/scope.js'
import { plannedEachTime } from '../postgres/statements.js'
import { holding, type Search } from './reach.js'
import type { Unit } from './query.js'

/** Messages are counted up to here: what stands in more is common. */
export const COMMON = 1000
/** What stands in fewer is rare, and counted anew each time: it may be in twice as many a moment later. */
const REMEMBERED_FROM = 20
const REMEMBERED_MS = 60_000
const REMEMBERED_MAX = 20_000

/** Up to so many waiting messages are counted. */
export const WAITING_COUNTED = 501

export interface Rarity {
  /** How many messages that the viewer may see hold each unit, up to COMMON. */
  counts: number[]
  /** What each unit weighs: the rarer the more. */
  weights: number[]
  /** Public messages of the session, 0 where all are searched. */
  messages: number
  /** Messages that wait for the index, of all senders, up to WAITING_COUNTED. */
  waiting: number
  /** Whether rows of the session are from before terms were made as they are now. */
  has_old_rows: boolean
}

type Remembered = Map<string, { count: number; until: number }>
/** Counts of a database, by viewer, session and term. Each viewer has its own, so that they tell nothing to another. */
const rememberedOf = new WeakMap<object, Remembered>()

/**
 * How rare each unit is in what the viewer may see, whatever the search is narrowed by; and what else has to be known
 * before looking. One statement.
 */
export async function rarityOf(search: Search): Promise<Rarity> {
  const { db, viewer, filter, query } = search
  const { session_id } = filter
  const now = performance.now()
  const database = databaseOf(db)
  const remembered: Remembered = rememberedOf.get(database) ?? (new Map() as Remembered)
  rememberedOf.set(database, remembered)
  const prefix = JSON.stringify([
    viewer.workspace,
    session_id,
    viewer.agent_id,
    viewer.agent_type,
    isAdmin(viewer),
    viewer.sessions
  ])
  const keys = query.units.map(({ terms }) => `${prefix}${terms.join(';')}`)
  const counts = keys.map(key => {
    const found = remembered.get(key)
    return found !== undefined && found.until > now ? found.count : undefined
  })
  const asked = query.units.map((_, i) => i).filter(i => counts[i] === undefined && countable(query.units[i] as Unit))
  const inSession = session_id === undefined ? sql`` : sql`and session_id = ${session_id}`
  const { rows } = await plannedEachTime(
    db,
    sql<{ waiting: number; messages: number | null; has_old_rows: boolean; counts: number[] | null }>`
    select (select count(*) from (select from search_pending where workspace = ${viewer.workspace} ${inSession}
        limit ${sql.lit(WAITING_COUNTED)}) waiting)::int as waiting,
      ${session_id === undefined ? sql`null` : sql`(select public_count from sessions where workspace = ${viewer.workspace} and id = ${session_id})`} as messages,
      exists (select from message_terms t where t.workspace = ${viewer.workspace} ${inSession} and t.words is null) as has_old_rows,
      array[${sql.join(asked.map(i => sql`(select count(*) from ${holding(search, query.units[i] as Unit, COMMON)} c)`))}]::int[] as counts`
  )
  const [row] = rows
  for (const [n, i] of asked.entries()) {
    const count = row?.counts?.[n] ?? 0
    counts[i] = count
    if (count >= REMEMBERED_FROM) remember(remembered, keys[i] as string, count, now)
  }
  const known = counts.map(count => count ?? 0)
  const all = Math.max(row?.messages ?? 0, 2 * Math.max(0, ...known), MESSAGES_MIN)
  return {
    counts: known,
    weights: query.units.map((unit, i) => (countable(unit) ? weightOf(known[i] as number, all) : 1)),
    messages: row?.messages ?? 0,
    waiting: row?.waiting ?? 0,
    has_old_rows: row?.has_old_rows ?? false
  }
}

/** A session of fewer messages is taken for one of so many: what is in most of three messages is not yet common. */
export const MESSAGES_MIN = 50

/** What function words are worth cannot be counted: they are not in the index. */
function countable({ terms }: Unit): boolean {
  return terms.length > 0
}

export function weightOf(count: number, all: number): number {
  return Math.log(1 + (all - count + 0.5) / (count + 0.5))
}

function remember(remembered: Remembered, key: string, count: number, now: number): void {
  const oldest = remembered.keys().next()
  if (remembered.size >= REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value)
  remembered.delete(key)
  remembered.set(key, { count, until: now + REMEMBERED_MS })
}
