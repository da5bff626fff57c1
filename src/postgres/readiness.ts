import { sql } from 'kysely'
import { migrations } from '../../migrations/index.js'
import { UNFINISHED_RESTORE } from './migrate.js'
import { explainFault, ReadOnlyServer } from './faults.js'
import type { Db } from './schema.js'

/** Why calls would fail, as a probe's log says it. */
export type Unready =
  | 'migrations missing'
  | 'restore not finished'
  | 'database read-only'
  | 'database unreachable'
  | 'database refuses what calls do'

/**
 * Does what a call does: it sets role and workspace, reads rows and writes to a table. The write matches no row. Yet
 * PostgreSQL checks that the role may write and that the server is not read-only.
 * @param db on the pool that calls use, in no workspace
 * @returns undefined if calls would succeed
 */
export async function whyUnready(db: Db): Promise<Unready | undefined> {
  try {
    const { rows } = await sql<{ name: string; restoring: boolean }>`
      with written as (update sessions set last_seq = last_seq where false)
      select name, to_regclass(${UNFINISHED_RESTORE}) is not null as restoring from kysely_migration`.execute(db)
    const applied = new Set(rows.map(({ name }) => name))
    if (rows[0]?.restoring === true) return 'restore not finished'
    // A newer database counts as current: during a deploy two releases run side by side.
    return Object.keys(migrations).every(name => applied.has(name)) ? undefined : 'migrations missing'
  } catch (error) {
    if (error instanceof ReadOnlyServer || (error as { code?: unknown }).code === '25006') return 'database read-only'
    if ((error as { code?: unknown }).code === '42P01') return 'migrations missing'
    return explainFault(error) === undefined ? 'database refuses what calls do' : 'database unreachable'
  }
}
