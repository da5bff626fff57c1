import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import { composed } from '../../kernel/text.js'
import { isStatementFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, type Unscoped } from '../../postgres/scope.js'
import { defineStatement } from '../../postgres/statements.js'
import { live, memoryNotFound, ofDeletedSession, type StoredValue, valueColumns, type Where } from './entries.js'
import { valueJson } from './memory-json.js'

export interface MemoryReader {
  /** Reads one value; one statement reads those of several calls. @throws AppError MEMORY_NOT_FOUND */
  read: (agent: Pick<Agent, 'workspace'>, where: Where, key: string) => Promise<StoredValue>
}

/** Values that one statement reads, at most: each may have megabytes, and all are in memory at the same time. */
const BATCH_MAX = 20
/**
 * Statements in flight for one workspace, at most. (With two, 64 readers get 1.5 times as many values of 100 bytes a
 * second as with one, and 1.3 times as many of 20 kB; with four, 1.04 and 1.2 times as many as with two. The rest of
 * the pool is for other calls.)
 */
const IN_FLIGHT_MAX = 2

export interface MemoryKey {
  where: Where
  key: string
}

interface Places {
  workspace: string
  owners: string[]
  scopes: string[]
  keys: string[]
}

/**
 * A row for each key; without a value, its columns are null. Each key is looked up as the first one from there on, an
 * order that only the primary key has. With `key = asked.key` a plan that was made while there were no statistics read
 * all values of the workspace once for each key, until the table was analyzed.
 */
const valuesAt = ({ workspace, owners, scopes, keys }: Places) => sql`
  unnest(${owners}::text[], ${scopes}::text[], ${keys}::text[]) with ordinality as asked (agent_id, session_id, key, n)
  left join lateral (
    select * from agent_memory a where a.workspace = ${workspace} and a.agent_id = asked.agent_id
      and a.session_id = asked.session_id and a.key >= asked.key order by a.key limit 1) agent_memory
  on agent_memory.key = asked.key and ${live} and not ${ofDeletedSession}`

/** A row for each key, in their order. */
const selectValues = defineStatement<Places, StoredValue | { key: null }>(
  'agent_memory.read',
  (_db, { workspace, owners, scopes, keys }) => sql`
    select ${valueColumns}
    from ${valuesAt({ workspace, owners, scopes, keys })}
    order by asked.n`,
  'once'
)

/** Reads values of one workspace, in the order of the keys; undefined where there is none. */
async function readValues(
  db: Db,
  workspace: string,
  keys: readonly MemoryKey[]
): Promise<Array<StoredValue | undefined>> {
  const rows = await selectValues(db, { workspace, ...columnsOf(keys) })
  return rows.map(row => (row.key === null ? undefined : row))
}

export function createMemoryReader(database: Unscoped): MemoryReader {
  const reads = createBatcher<MemoryKey & { workspace: string }, StoredValue | undefined>({
    flush: (keys, workspace) => readValues(inWorkspace(database, workspace), workspace, keys),
    group: ({ workspace }) => workspace,
    weight_max: BATCH_MAX,
    group_in_flight_max: IN_FLIGHT_MAX,
    isItemFault: isStatementFault
  })
  return {
    async read({ workspace }, where, key) {
      const plain = composed(key)
      const read = async (key: string) => reads.add({ workspace, where, key })
      const found = (await read(key)) ?? (plain === key ? undefined : await read(plain))
      if (found !== undefined) return found
      throw memoryNotFound()
    }
  }
}

/** What is read of a value: its JSON as in memory-json.ts, and how large it is; null where it does not fit. */
export interface PrintedValue {
  json: string | null
  /** Bytes of the value and its metadata. */
  size: number
}

/** A row for each key, in their order; `size` is null where there is no value. */
const selectFitting = defineStatement<Places & { bytes_max: number }, PrintedValue | { json: null; size: null }>(
  'agent_memory.read_fitting',
  (_db, { workspace, owners, scopes, keys, bytes_max }) => sql`
    select case when up_to_here <= ${bytes_max}::bigint or n = 1 then ${valueJson} end as json, size
    from (
      select agent_memory.*, asked.n, value_size + octet_length(metadata::text) as size,
        sum(value_size + octet_length(metadata::text)) over (order by asked.n rows unbounded preceding) as up_to_here
      from ${valuesAt({ workspace, owners, scopes, keys })}) agent_memory
    order by n`,
  'once'
)

/**
 * Reads values from the first one on, as many as are together at most so large, and at least one; undefined where there
 * is none.
 */
export async function readFitting(
  db: Db,
  workspace: string,
  keys: readonly MemoryKey[],
  bytes_max: number
): Promise<Array<PrintedValue | undefined>> {
  const rows = await selectFitting(db, { workspace, ...columnsOf(keys), bytes_max: Math.max(0, Math.floor(bytes_max)) })
  return rows.map(row => (row.size === null ? undefined : row))
}

function columnsOf(keys: readonly MemoryKey[]) {
  return {
    owners: keys.map(({ where }) => where.owner),
    scopes: keys.map(({ where }) => where.scope),
    keys: keys.map(({ key }) => key)
  }
}

/** Makes a value that ends by itself last as long again, from now on, as when it was written. */
export async function renew(
  db: Db,
  workspace: string,
  keys: readonly MemoryKey[]
): Promise<Array<{ session_id: string; key: string; expires_at: string }>> {
  const { rows } = await sql<{ session_id: string; key: string; expires_at: string }>`
    update agent_memory set expires_at = clock_timestamp()
      + coalesce(make_interval(secs => expires_in), expires_at - updated_at)
    from (select * from unnest(${keys.map(({ where }) => where.owner)}::text[],
      ${keys.map(({ where }) => where.scope)}::text[], ${keys.map(({ key }) => key)}::text[])
      as asked (agent_id, session_id, key) order by 1, 2, 3) asked
    where agent_memory.workspace = ${workspace} and agent_memory.agent_id = asked.agent_id
      and agent_memory.session_id = asked.session_id and agent_memory.key = asked.key
      and expires_at > clock_timestamp() and not ${ofDeletedSession}
    returning agent_memory.session_id, agent_memory.key, expires_at`.execute(db)
  return rows
}
