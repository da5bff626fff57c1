import { sql } from 'kysely'
import { migrations } from '../../migrations/index.js'
import { explainFault, ReadOnlyServer } from './faults.js'
import type { Db } from './schema.js'

/** Why calls would fail, in words for a probe's log. */
export type Unready =
  'migrations missing' | 'database read-only' | 'database unreachable' | 'database refuses what calls do'

/**
 * Does what a call does: the role and the workspace are told, rows are read, and a table is written to. The write
 * matches no row; PostgreSQL checks all the same that the role may write and that the server takes writes.
 * @param db on the pool that calls use, in no workspace
 * @returns undefined where calls would succeed
 */
export async function whyUnready(db: Db): Promise<Unready | undefined> {
  try {
    const { rows } = await sql<{ name: string }>`
      with written as (update sessions set last_seq = last_seq where false)
      select name from kysely_migration`.execute(db)
    const applied = new Set(rows.map(({ name }) => name))
    // A database that has become newer meanwhile counts as current: during a deploy the releases run side by side.
    return Object.keys(migrations).every(name => applied.has(name)) ? undefined : 'migrations missing'
  } catch (error) {
    if (error instanceof ReadOnlyServer || (error as { code?: unknown }).code === '25006') return 'database read-only'
    if ((error as { code?: unknown }).code === '42P01') return 'migrations missing'
    return explainFault(error) === undefined ? 'database refuses what calls do' : 'database unreachable'
  }
}
