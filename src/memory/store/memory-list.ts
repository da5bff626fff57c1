import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { entryColumns, type MemoryEntry, own, type Scope, valuesIn, type Where } from './entries.js'
import { type Condition, meets } from './memory-filter.js'
import { begins } from './memory-removal.js'

/**
 * Where a page ends. The first page takes a snapshot. What was written before it is listed first, last updated first,
 * as the first page began; then what has been written since, by session and key, since these never change. An entry
 * whose value changes meanwhile moves from the first part into the second. So nothing is lost, and no version of an
 * entry comes twice, however much is written while a client pages; and the second part ends.
 *
 * In the order of keys there is only one part: a key keeps its place.
 */
export interface Place {
  /** What had committed when the first page was read: a pg_snapshot. */
  snapshot: string
  /**
   * When the first entry of the first page was updated. What is updated later was written since, whatever the snapshot
   * says of its number: after a crash PostgreSQL may give numbers again (feed/store/cursor-snapshots.ts). This holds
   * while the database's clock does not go back. Undefined only in the order of keys.
   */
  newest?: string
  session_id: Scope
  key: string
  /** In the first part, when the last entry was updated; undefined in the second, and in the order of keys. */
  updated_at?: string
}

export const ORDERS = ['updated', 'key'] as const
export type Order = (typeof ORDERS)[number]

export interface MemoryFilter {
  /** Undefined: every scope of the agent's own. */
  where?: Where
  prefix?: string
  conditions?: readonly Condition[]
  order: Order
  limit: number
  /** What the values may have together: so many bytes. Undefined: they are not asked for. */
  bytes_max?: number
  after?: Place
}

/** As it was read: `value` is there if values are asked for. */
export type Listed = MemoryEntry & { value?: unknown; snapshot: string; is_since: boolean }

/** A page of what an agent has stored, and the place at its end; null where nothing is left. */
export async function list(
  db: Db,
  agent: Agent,
  filter: MemoryFilter
): Promise<{ entries: Listed[]; end: Place | null }> {
  const { limit, after, order } = filter
  const isSince = order === 'key' || (after !== undefined && after.updated_at === undefined)
  const rows = isSince ? [] : await listed(db, agent, filter, 'before', limit + 1)
  if ((order === 'key' || after !== undefined) && rows.length <= limit)
    rows.push(...(await listed(db, agent, filter, 'since', limit + 1 - rows.length)))
  const entries = rows.slice(0, Math.min(limit, fitting(rows, filter.bytes_max)))
  const last = entries.at(-1)
  return {
    entries,
    end: rows.length > entries.length && last !== undefined ? placeAfter(last, after ?? beginningOf(entries)) : null
  }
}

/** What all pages of a list know of the first one. */
type Beginning = Pick<Place, 'snapshot' | 'newest'>

function beginningOf([first]: readonly Listed[]): Beginning {
  const { snapshot, is_since, updated_at } = first as Listed
  return { snapshot, ...(!is_since && { newest: updated_at }) }
}

function placeAfter({ session_id, key, updated_at, is_since }: Listed, { snapshot, newest }: Beginning): Place {
  return { snapshot, newest, session_id, key, ...(!is_since && { updated_at }) }
}

/** One of the two parts, from the place on. */
async function listed(
  db: Db,
  agent: Agent,
  { where, prefix, conditions = [], order, bytes_max, after }: MemoryFilter,
  part: 'before' | 'since',
  limit: number
): Promise<Listed[]> {
  let query = where === undefined ? own(db, agent) : valuesIn(db, agent.workspace, where)
  if (prefix !== undefined) query = query.where(begins(prefix))
  for (const condition of conditions) query = query.where(meets(condition))
  if (after !== undefined) {
    const { session_id, key, updated_at } = after
    if (order === 'updated')
      query = query.where(part === 'before' ? wasWrittenBefore(after) : sql<boolean>`not ${wasWrittenBefore(after)}`)
    if (updated_at !== undefined && part === 'before')
      query = query.where(
        // The index can use the first condition only.
        sql<boolean>`updated_at <= ${updated_at}::timestamptz
          and (updated_at < ${updated_at}::timestamptz or (session_id, key) > (${session_id}, ${key}))`
      )
    if (updated_at === undefined) query = query.where(sql<boolean>`(session_id, key) > (${session_id}, ${key})`)
  }
  if (part === 'before') query = query.orderBy('updated_at', 'desc')
  const entries = query
    .select([
      ...entryColumns,
      sql<string>`pg_current_snapshot()::text`.as('snapshot'),
      sql<boolean>`${part === 'since'}::boolean`.as('is_since')
    ])
    .orderBy('session_id')
    .orderBy('key')
    .limit(limit)
  if (bytes_max === undefined) return entries.execute()
  // Values for which the answer has no room are not fetched. The first of a page always has room.
  const inOrder = part === 'before' ? sql`updated_at desc, session_id, key` : sql`session_id, key`
  const columns = ['key', 'session_id', 'version', 'value_size', 'created_at', 'updated_at', 'updated_by', 'expires_at']
  const { rows } = await sql<Listed>`
    select ${sql.join(columns.map(name => sql.ref(name)))}, snapshot, is_since,
      case when sum(value_size + ${sql.lit(ENTRY_BYTES)}) over listed <= ${bytes_max} or row_number() over listed = 1
        then value end as value
    from ${entries.select('value')} entries
    window listed as (order by ${inOrder} rows unbounded preceding)
    order by ${inOrder}`.execute(db)
  return rows
}

/** Bytes that an entry takes in an answer besides its value, at most: keys and namespaces have a kilobyte each. */
const ENTRY_BYTES = 4000

/** How many entries, from the first one on, have values that are together at most so large; at least one. */
function fitting(entries: readonly MemoryEntry[], bytes_max = Infinity): number {
  let bytes = 0
  const first = entries.findIndex(({ value_size }) => (bytes += value_size + ENTRY_BYTES) > bytes_max)
  return first === -1 ? Infinity : Math.max(1, first)
}

/**
 * Whether a row is as it was when the first page began: the snapshot shows it. A row has the lower 32 bits of the
 * transaction that wrote it (xmin). The upper ones are those for which it lies within 2^31 of the snapshot; a row that
 * is older than that counts as written since, and so still comes exactly once.
 */
function wasWrittenBefore({ snapshot, newest }: Beginning) {
  const at = sql`pg_snapshot_xmax(${snapshot}::pg_snapshot)::text::bigint`
  const age = sql`((${at} - agent_memory.xmin::text::bigint + 2147483648) % 4294967296 - 2147483648)`
  const isVisible = sql`pg_visible_in_snapshot(greatest(${at} - ${age}, 3)::text::xid8, ${snapshot}::pg_snapshot)`
  return sql<boolean>`(${isVisible} and updated_at <= ${newest}::timestamptz)`
}
