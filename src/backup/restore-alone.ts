import { sql } from 'kysely'
import type { Db } from '../postgres/schema.js'
import { withWorkLock } from '../postgres/work-lock.js'

/** Whoever else uses the database while a backup is to be restored into it. */

/** The name by which a service's connections show (commands/open.ts); those of commands have a space more. */
const SERVICE = '^shared-context-server ([^ ]+)$'

/**
 * Does the work if nobody else restores into this database.
 * @param db a connection of its own, which holds the lock meanwhile
 * @returns whether it was done
 */
export async function alone(db: Db, work: () => Promise<void>): Promise<boolean> {
  let done = false
  try {
    await withWorkLock(db, 'restore', async () => {
      await work()
      done = true
    })
  } catch (error) {
    // The work is done, even if the connection that held the lock was lost.
    if (!done) throw error
  }
  return done
}

/** @returns the name of a service that has connections to this database */
export async function serviceOn(db: Db): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    select (regexp_match(application_name, ${SERVICE}))[1] as name from pg_stat_activity
    where datname = current_database() and application_name ~ ${SERVICE} limit 1`.execute(db)
  return rows[0]?.name
}
