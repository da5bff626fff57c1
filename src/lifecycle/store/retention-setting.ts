import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/** How many days a workspace keeps data, by its own setting or else the server's; 0: for ever. */
export interface Retention {
  days: number
  source: 'workspace' | 'server'
}

/**
 * `retention` is for messages and closed sessions, `audit_retention` for audit rows. Only the operator may change the
 * latter: the service's database role can only read it.
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

/** A workspace's setting changed while something was being deleted by it. */
export class SettingChanged extends Error {}

/** Called last in a transaction that deletes by a setting. @throws SettingChanged, which takes it back */
export async function requireSetting(
  tx: Db,
  table: RetentionTable,
  { workspace, days, server_days }: { workspace: string; days: number; server_days: number }
): Promise<void> {
  if ((await retentionOf(tx, table, workspace, server_days)).days !== days) throw new SettingChanged()
}

/** Which of the workspaces do not keep data for ever, and for how many days they keep it. */
export async function workspacesToExpire(
  db: Db,
  table: RetentionTable,
  workspaces: readonly string[],
  server_days: number
): Promise<Array<{ workspace: string; days: number }>> {
  const settings = await db.selectFrom(table).select(['workspace', 'days']).execute()
  const own = new Map(settings.map(({ workspace, days }) => [workspace, days]))
  return workspaces
    .map(workspace => ({ workspace, days: own.get(workspace) ?? server_days }))
    .filter(({ days }) => days > 0)
}

/** @param days undefined: follow the server's setting */
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
