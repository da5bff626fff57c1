import { sql } from 'kysely'
import type { Db } from './schema.js'

/**
 * The advisory lock of each kind of work that one process does at a time. The numbers are arbitrary, but each kind
 * needs its own: with a lock shared with the audit chain, retention once waited half an hour for its turn.
 */
const LOCKS = { sweep: 7_261_002, 'audit chain': 7_261_003, lifecycle: 7_261_004, restore: 7_261_005 }

/**
 * Runs `work` in a transaction that holds the lock of its kind.
 * @returns undefined if another process holds the lock
 */
export async function withWorkLock<T>(
  db: Db,
  kind: keyof typeof LOCKS,
  work: (tx: Db) => Promise<T>
): Promise<T | undefined> {
  // Each statement must see what other replicas committed just before it.
  return db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async tx => {
      const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_xact_lock(${LOCKS[kind]}) as ours`.execute(
        tx
      )
      return rows[0]?.ours === true ? work(tx) : undefined
    })
}
