import { sql } from 'kysely'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import { AppError } from '../../kernel/errors.js'
import { composed, hasUnseenCharacters } from '../../kernel/text.js'
import { isStatementFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, type Unscoped } from '../../postgres/scope.js'
import { defineStatement } from '../../postgres/statements.js'
import { withinSessions } from '../../visibility/visibility.js'

/** Where a value belongs: one session, or '' for the agent's global memory. There is no fall-back between scopes. */
export type Scope = string
export const GLOBAL: Scope = ''

export interface MemoryEntry {
  key: string
  session_id: Scope
  version: number
  value_size: number
  created_at: string
  updated_at: string
  expires_at: string | null
}

/** Expired means absent, in every read; the sweep only frees space. */
const live = sql<boolean>`(expires_at is null or expires_at > clock_timestamp())`

export const entryColumns = [
  'key',
  'session_id',
  'version',
  'value_size',
  'created_at',
  'updated_at',
  'expires_at'
] as const
const valueColumns = [...entryColumns, 'value', 'metadata'] as const

/**
 * Whether a value belongs to a deleted session that is not swept yet. (A scalar subquery, so that each row's session is
 * looked up by its key.)
 */
const ofDeletedSession = sql<boolean>`(agent_memory.session_id <> '' and (select true from sessions s
  where s.workspace = agent_memory.workspace and s.id = agent_memory.session_id) is null)`

/** The live values of an agent, in the scopes that its credentials reach. */
export function own(db: Db, agent: Agent) {
  const mine = db
    .selectFrom('agent_memory')
    .where('workspace', '=', agent.workspace)
    .where('agent_id', '=', agent.agent_id)
    .where(live)
    .where(sql<boolean>`not ${ofDeletedSession}`)
  return agent.sessions === undefined ? mine : mine.where(withinSessions([GLOBAL, ...agent.sessions], 'session_id'))
}

export interface NewValue {
  key: string
  scope: Scope
  /** The value as JSON text. */
  value: string
  metadata: Record<string, unknown>
  /** Seconds from now, 0 for ever. */
  expires_in: number
  overwrite: boolean
}

/**
 * The spelling under which a value is stored or will be: as given where there is a value, else composed.
 * @throws AppError INVALID_KEY for unseen characters in a new key
 */
async function spellingOf(db: Db, agent: Agent, scope: Scope, key: string): Promise<string> {
  const isUnseen = hasUnseenCharacters(key)
  const plain = composed(key)
  if (plain === key && !isUnseen) return key
  const found = await db
    .selectFrom('agent_memory')
    .select('key')
    .where('workspace', '=', agent.workspace)
    .where('agent_id', '=', agent.agent_id)
    .where('session_id', '=', scope)
    .where('key', '=', key)
    .executeTakeFirst()
  if (found !== undefined) return key
  if (!isUnseen) return plain
  throw new AppError('INVALID_KEY', "The argument 'key' holds characters that are not seen.", {
    context: {
      argument: 'key',
      given: 'a key with invisible or bidirectional characters',
      allowed: 'characters that are seen'
    }
  })
}

interface Stored {
  key: string
  stored_at: string
  expires_at: string | null
  version: number
}

/**
 * Stores a value. An expired one under the key counts as absent.
 * @throws AppError INVALID_KEY for unseen characters in a new key; KEY_EXISTS if `overwrite` is false and a live value
 * is there
 */
export async function put(db: Db, agent: Agent, given: NewValue): Promise<Stored> {
  const key = await spellingOf(db, agent, given.scope, given.key)
  const { rows } = await sql<Stored>`
    insert into agent_memory as old (workspace, agent_id, session_id, key, value, metadata, value_size, expires_at)
    values (${agent.workspace}, ${agent.agent_id}, ${given.scope}, ${key}, ${given.value}::jsonb,
      ${JSON.stringify(given.metadata)}::jsonb, ${Buffer.byteLength(given.value)},
      clock_timestamp() + make_interval(secs => nullif(${given.expires_in}::int, 0)))
    on conflict (workspace, agent_id, session_id, key) do update set
      value = excluded.value, metadata = excluded.metadata, value_size = excluded.value_size,
      expires_at = excluded.expires_at,
      version = case when old.expires_at <= clock_timestamp() then 1 else old.version + 1 end,
      created_at = case when old.expires_at <= clock_timestamp() then clock_timestamp() else old.created_at end,
      updated_at = clock_timestamp()
    where ${given.overwrite} or old.expires_at <= clock_timestamp()
    returning key, updated_at as stored_at, expires_at, version`.execute(db)
  const stored = rows[0]
  if (stored === undefined)
    throw new AppError('KEY_EXISTS', 'A value is stored under that key already.', { context: { argument: 'key' } })
  return stored
}

export type StoredValue = MemoryEntry & { value: unknown; metadata: Record<string, unknown> }

export interface MemoryReader {
  /** Reads one value; one statement reads those of several calls. @throws AppError MEMORY_NOT_FOUND */
  read: (agent: Agent, scope: Scope, key: string) => Promise<StoredValue>
}

/** Values that one statement reads, at most: each may have a megabyte, and all are in memory at the same time. */
const BATCH_MAX = 20
/**
 * Statements in flight for one workspace, at most. (With two, 64 readers get 1.5 times as many values of 100 bytes a
 * second as with one, and 1.3 times as many of 20 kB; with four, 1.04 and 1.2 times as many as with two. The rest of
 * the pool is for other calls.)
 */
const IN_FLIGHT_MAX = 2

interface MemoryKey {
  workspace: string
  agent_id: string
  scope: Scope
  key: string
}

const selectValues = defineStatement<
  { workspace: string; agent_ids: string[]; scopes: Scope[]; keys: string[] },
  StoredValue & { n: number }
>(
  'agent_memory.read',
  (_db, { workspace, agent_ids, scopes, keys }) => sql`
    select asked.n::int as n, ${sql.join(valueColumns.map(column => sql.ref(`agent_memory.${column}`)))}
    from unnest(${agent_ids}::text[], ${scopes}::text[], ${keys}::text[])
      with ordinality as asked (agent_id, session_id, key, n)
    join agent_memory on agent_memory.workspace = ${workspace} and agent_memory.agent_id = asked.agent_id
      and agent_memory.session_id = asked.session_id and agent_memory.key = asked.key
    where ${live} and not ${ofDeletedSession}`,
  'once'
)

/** Reads values of one workspace, in the order of the keys; undefined where there is none. */
async function readValues(db: Db, workspace: string, keys: MemoryKey[]): Promise<Array<StoredValue | undefined>> {
  const rows = await selectValues(db, {
    workspace,
    agent_ids: keys.map(({ agent_id }) => agent_id),
    scopes: keys.map(({ scope }) => scope),
    keys: keys.map(({ key }) => key)
  })
  const values = new Array<StoredValue | undefined>(keys.length)
  for (const { n, ...stored } of rows) values[n - 1] = stored
  return values
}

export function createMemoryReader(database: Unscoped): MemoryReader {
  const reads = createBatcher<MemoryKey, StoredValue | undefined>({
    flush: (keys, workspace) => readValues(inWorkspace(database, workspace), workspace, keys),
    group: ({ workspace }) => workspace,
    weight_max: BATCH_MAX,
    group_in_flight_max: IN_FLIGHT_MAX,
    isItemFault: isStatementFault
  })
  return {
    async read({ workspace, agent_id, sessions }, scope, key) {
      const plain = composed(key)
      const read = async (key: string) => reads.add({ workspace, agent_id, scope, key })
      const found =
        scope === GLOBAL || mayEnter({ sessions }, scope)
          ? ((await read(key)) ?? (plain === key ? undefined : await read(plain)))
          : undefined
      if (found !== undefined) return found
      throw new AppError('MEMORY_NOT_FOUND', 'No value is stored under that key in that scope.', {
        context: { argument: 'key' }
      })
    }
  }
}

/** The values last updated, at most so many and of so many bytes together, for searching them. */
export async function latest(
  db: Db,
  agent: Agent,
  scope: Scope | undefined,
  most: number,
  bytes_max: number
): Promise<{ entries: StoredValue[]; cut: boolean }> {
  let query = own(db, agent)
  if (scope !== undefined) query = query.where('session_id', '=', scope)
  const sized = query
    .select([
      'session_id',
      'key',
      sql<number>`sum(value_size) over (order by updated_at desc, session_id, key)`.as('up_to_here')
    ])
    .orderBy('updated_at', 'desc')
    .orderBy('session_id')
    .orderBy('key')
    .limit(most + 1)
  const places = await sized.execute()
  const taken = places.slice(0, most).filter(({ up_to_here }) => Number(up_to_here) <= bytes_max)
  const { rows } = await sql<StoredValue>`
    select ${sql.join([...entryColumns, 'value', 'metadata'].map(column => sql.ref(`agent_memory.${column}`)))}
    from unnest(${taken.map(({ session_id }) => session_id)}::text[], ${taken.map(({ key }) => key)}::text[])
      as asked (session_id, key)
    join agent_memory on agent_memory.workspace = ${agent.workspace} and agent_memory.agent_id = ${agent.agent_id}
      and agent_memory.session_id = asked.session_id and agent_memory.key = asked.key
    where ${live}`.execute(db)
  return { entries: rows, cut: taken.length < places.length }
}

/** @returns whether a live value was there, under the key as given or else composed */
export async function remove(db: Db, agent: Agent, scope: Scope, key: string): Promise<boolean> {
  const plain = composed(key)
  return (await removeOne(db, agent, scope, key)) || (plain !== key && (await removeOne(db, agent, scope, plain)))
}

async function removeOne(db: Db, agent: Agent, scope: Scope, key: string): Promise<boolean> {
  const { rows } = await sql<{ was_live: boolean }>`
    delete from agent_memory
    where workspace = ${agent.workspace} and agent_id = ${agent.agent_id} and session_id = ${scope} and key = ${key}
    returning ${live} as was_live`.execute(db)
  return rows[0]?.was_live ?? false
}
