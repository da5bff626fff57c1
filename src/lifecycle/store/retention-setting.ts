import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/** For how many days a workspace keeps things: its own setting, else the server's; 0 for ever. */
export interface Retention {
  days: number
  source: 'workspace' | 'server'
}

/**
 * Of messages and closed sessions, or of audit rows. The latter's table the service's role may only read: it is the
 * operator's.
 */
export type RetentionTable = 'retention' | 'audit_retention'

export async function retentionOf(
  db: Db,
  table: RetentionTable,
  workspace: string,
  server_days: number
): Promise<Retention> {
  const own = await db.selectFrom(table).select('days').where('workspace', '=', workspace).executeTakeFirst()
  return own === undefined ? { days: server_days, source: 'server' } : { days: own.days, source: 'workspace' }
}

/** @param days undefined: the server's setting from now on */
export async function setRetention(
  db: Db,
  table: RetentionTable,
  workspace: string,
  days: number | undefined
): Promise<void> {
  if (days === undefined) await db.deleteFrom(table).where('workspace', '=', workspace).execute()
  else
    await db
      .insertInto(table)
      .values({ workspace, days })
      .onConflict(conflict =>
        conflict.column('workspace').doUpdateSet({ days, set_at: sql<string>`clock_timestamp()` })
      )
      .execute()
}
