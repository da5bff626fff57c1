import { setTimeout as sleep } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import { isSerializationFault } from './faults.js'
import type { Db } from './schema.js'

/** Changing tables that others read and write. */

interface OnlineIndex {
  index: string
  table: string
  unique?: true
  as: string
}

/** PostgreSQL gave up waiting for a lock. */
const NOT_AVAILABLE = '55P03'
/** Of two processes that make the same index at the same time, one gets one of these. */
const IS_THERE = new Set(['42P07', '23505'])

/** How often to look whether another process has finished an index. */
const LOOK_MS = 500

/**
 * Milliseconds that a transaction waits for a lock. Whoever comes later and wants the same table waits behind it, so
 * it is short. The first time it is shorter than `deadlock_timeout`, after which PostgreSQL ends a transaction of a
 * circle, which may be a caller's. Later it is longer, since an autovacuum gives way only after that time.
 */
const LOCK_MS = { first: 500, later: 1200 }
/** Then something holds the table for long, such as a backup. */
const PATIENCE_MS = 300_000

/**
 * Runs a transaction that locks tables, again and again until it gets its locks. In between, those who waited behind it
 * have their turn.
 * @param run is given how long it may wait for a lock
 * @throws what it throws at last
 */
export async function patiently<T>(run: (lock_ms: number) => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (let lock_ms = LOCK_MS.first; ; lock_ms = LOCK_MS.later) {
    try {
      return await run(lock_ms)
    } catch (error) {
      if (!isLockFault(error) || performance.now() > until) throw error
      await sleep(lock_ms)
    }
  }
}

/** Whether a transaction did not get a lock, or got into a deadlock over one. */
export function isLockFault(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === NOT_AVAILABLE || isSerializationFault(error)
}

/**
 * Builds an index without a lock that keeps anybody from reading or writing. What a process that has ended left
 * unfinished is built anew; what another one is building is waited for.
 */
export async function buildIndex(db: Db, schema: string, { index, table, unique, as }: OnlineIndex): Promise<void> {
  for (;;) {
    const state = await stateOf(db, schema, index)
    if (state === 'valid') return
    if (state === 'growing') {
      await sleep(LOOK_MS)
      continue
    }
    try {
      if (state === 'broken') await alone(db, sql`drop index concurrently if exists ${sql.id(schema, index)}`)
      const kind = sql.raw(unique === true ? 'unique index' : 'index')
      const on = sql.id(schema, table)
      await alone(db, sql`create ${kind} concurrently ${sql.id(index)} on ${on} ${sql.raw(as)}`)
    } catch (error) {
      if (!isLockFault(error) && !IS_THERE.has(String((error as { code?: unknown }).code))) throw error
      await sleep(LOOK_MS)
    }
  }
}

async function stateOf(db: Db, schema: string, index: string): Promise<'absent' | 'valid' | 'growing' | 'broken'> {
  const { rows } = await sql<{ valid: boolean; growing: boolean }>`
    select i.indisvalid as valid,
           exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as growing
    from pg_index i where i.indexrelid = to_regclass(format('%I.%I', ${schema}::text, ${index}::text))`.execute(db)
  const [found] = rows
  if (found === undefined) return 'absent'
  return found.valid ? 'valid' : found.growing ? 'growing' : 'broken'
}

/**
 * Runs a statement that PostgreSQL takes only outside a transaction, and only if nothing is sent with it: our
 * connections send role and workspace with each statement, except within a transaction.
 */
async function alone(db: Db, statement: RawBuilder<unknown>): Promise<void> {
  await db.transaction().execute(async tx => {
    await sql`commit`.execute(tx)
    await statement.execute(tx)
    await sql`begin`.execute(tx)
  })
}
