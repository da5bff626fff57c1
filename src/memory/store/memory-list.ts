import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { composed } from '../../kernel/text.js'
import { likeLiteral } from '../../postgres/like.js'
import type { Db } from '../../postgres/schema.js'
import { entryColumns, type MemoryEntry, own, type Scope } from './memory.js'

/**
 * Where a page ends. The first page takes a snapshot. What was written before it is listed first, last updated first,
 * as the first page began; then what has been written since, by session and key, since these never change. An entry
 * whose value changes meanwhile moves from the first part into the second. So nothing is lost, and no version of an
 * entry comes twice, however much is written while a client pages; and the second part ends.
 */
export interface Place {
  /** What had committed when the first page was read: a pg_snapshot. */
  snapshot: string
  session_id: Scope
  key: string
  /** In the first part, when the last entry was updated; undefined in the second. */
  updated_at?: string
}

export interface MemoryFilter {
  /** Undefined: every scope. */
  scope?: Scope
  prefix?: string
  limit: number
  after?: Place
}

type Listed = MemoryEntry & { snapshot: string; is_since: boolean }

/** A page of what an agent has stored, and the place at its end; null where nothing is left. */
export async function list(
  db: Db,
  agent: Agent,
  filter: MemoryFilter
): Promise<{ entries: MemoryEntry[]; end: Place | null }> {
  const { limit, after } = filter
  const isSince = after !== undefined && after.updated_at === undefined
  const rows = isSince ? [] : await listed(db, agent, filter, 'before', limit + 1)
  if (after !== undefined && rows.length <= limit)
    rows.push(...(await listed(db, agent, filter, 'since', limit + 1 - rows.length)))
  const entries = rows.slice(0, limit)
  const last = entries.at(-1)
  return {
    entries: entries.map(({ snapshot: _, is_since: __, ...entry }) => entry),
    end: rows.length > limit && last !== undefined ? placeOf(last, after?.snapshot ?? last.snapshot) : null
  }
}

function placeOf({ session_id, key, updated_at, is_since }: Listed, snapshot: string): Place {
  return { snapshot, session_id, key, ...(!is_since && { updated_at }) }
}

/** One of the two parts, from the place on. */
async function listed(
  db: Db,
  agent: Agent,
  { scope, prefix, after }: MemoryFilter,
  part: 'before' | 'since',
  limit: number
): Promise<Listed[]> {
  let query = own(db, agent)
  if (scope !== undefined) query = query.where('session_id', '=', scope)
  if (prefix !== undefined) {
    // Keys that are new are composed; older ones have the spelling they came with.
    const [given, plain] = [prefix, composed(prefix)].map(text => `${likeLiteral(text)}%`) as [string, string]
    query = query.where(eb =>
      given === plain ? eb('key', 'like', given) : eb('key', 'like', given).or('key', 'like', plain)
    )
  }
  if (after !== undefined) {
    const { snapshot, session_id, key, updated_at } = after
    query = query.where(
      part === 'before' ? wasWrittenBefore(snapshot) : sql<boolean>`not ${wasWrittenBefore(snapshot)}`
    )
    if (updated_at !== undefined && part === 'before')
      query = query.where(
        // The first half is for the index, whose columns run in different directions.
        sql<boolean>`updated_at <= ${updated_at}::timestamptz
          and (updated_at < ${updated_at}::timestamptz or (session_id, key) > (${session_id}, ${key}))`
      )
    if (updated_at === undefined) query = query.where(sql<boolean>`(session_id, key) > (${session_id}, ${key})`)
  }
  if (part === 'before') query = query.orderBy('updated_at', 'desc')
  return query
    .select([
      ...entryColumns,
      sql<string>`pg_current_snapshot()::text`.as('snapshot'),
      sql<boolean>`${part === 'since'}::boolean`.as('is_since')
    ])
    .orderBy('session_id')
    .orderBy('key')
    .limit(limit)
    .execute()
}

/**
 * Whether the snapshot shows a row as it is now. A row has the lower 32 bits of the transaction that wrote it (xmin).
 * The upper ones are those for which it lies within 2^31 of the snapshot; a row that is older than that counts as
 * written since, and so still comes exactly once.
 */
function wasWrittenBefore(snapshot: string) {
  const at = sql`pg_snapshot_xmax(${snapshot}::pg_snapshot)::text::bigint`
  const age = sql`((${at} - agent_memory.xmin::text::bigint + 2147483648) % 4294967296 - 2147483648)`
  return sql<boolean>`pg_visible_in_snapshot(greatest(${at} - ${age}, 3)::text::xid8, ${snapshot}::pg_snapshot)`
}
