import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import { composed } from '../../kernel/text.js'
import { isStatementFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, type Unscoped } from '../../postgres/scope.js'
import { defineStatement } from '../../postgres/statements.js'
import { live, memoryNotFound, ofDeletedSession, type StoredValue, valueColumns, type Where } from './entries.js'

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

/** A row for each key, in their order; without a value, its columns are null. */
const selectValues = defineStatement<
  { workspace: string; owners: string[]; scopes: string[]; keys: string[] },
  StoredValue | { key: null }
>(
  'agent_memory.read',
  (_db, { workspace, owners, scopes, keys }) => sql`
    select ${valueColumns}
    from unnest(${owners}::text[], ${scopes}::text[], ${keys}::text[])
      with ordinality as asked (agent_id, session_id, key, n)
    left join agent_memory on agent_memory.workspace = ${workspace} and agent_memory.agent_id = asked.agent_id
      and agent_memory.session_id = asked.session_id and agent_memory.key = asked.key
      and ${live} and not ${ofDeletedSession}
    order by asked.n`,
  'once'
)

/** Reads values of one workspace, in the order of the keys; undefined where there is none. */
export async function readValues(
  db: Db,
  workspace: string,
  keys: readonly MemoryKey[]
): Promise<Array<StoredValue | undefined>> {
  const rows = await selectValues(db, {
    workspace,
    owners: keys.map(({ where }) => where.owner),
    scopes: keys.map(({ where }) => where.scope),
    keys: keys.map(({ key }) => key)
  })
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

/** Bytes that a value and its metadata take in an answer, about. */
const bytes = sql<number>`value_size + octet_length(metadata::text)`

/**
 * How many of the keys, from the first one on, have values that are together at most so large.
 * @param keys spelt as they are stored
 */
export async function fittingKeys(
  db: Db,
  workspace: string,
  keys: readonly MemoryKey[],
  bytes_max: number
): Promise<number> {
  const { rows } = await sql<{ fitting: number }>`
    select count(*) filter (where up_to_here <= ${bytes_max}) as fitting from (
      select asked.n, sum(coalesce(${bytes}, 0)) over (order by asked.n) as up_to_here
      from unnest(${keys.map(({ where }) => where.owner)}::text[], ${keys.map(({ where }) => where.scope)}::text[],
        ${keys.map(({ key }) => key)}::text[]) with ordinality as asked (agent_id, session_id, key, n)
      left join agent_memory on agent_memory.workspace = ${workspace} and agent_memory.agent_id = asked.agent_id
        and agent_memory.session_id = asked.session_id and agent_memory.key = asked.key) sized`.execute(db)
  return rows[0]?.fitting ?? 0
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
