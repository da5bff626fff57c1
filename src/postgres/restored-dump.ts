import { sql } from 'kysely'
import type { Db } from './schema.js'

/** About a second's work. */
const BATCH = 10_000

/**
 * After a dump is restored into another server, rows name transactions that server has yet to give out: when it does,
 * readers would take old rows for new. They get 0, "before anybody followed". What a snapshot shows and yet counts
 * among the transactions to come can only be such a row, so this is safe beside others who write. The lowest first:
 * those come first.
 * @returns how many there were
 */
export async function settleRestored(db: Db): Promise<number> {
  let settled = 0
  const { rows: workspaces } = await sql<{ workspace: string }>`select distinct workspace from sessions`.execute(db)
  for (const { workspace } of workspaces) {
    for (const table of ['messages', 'session_changes'] as const) {
      for (let batch = BATCH; batch === BATCH; settled += batch) {
        const { numUpdatedRows } = await db
          .updateTable(table)
          .set({ xact: '0' })
          .where(
            sql<boolean>`ctid = any(array(${db
              .selectFrom(table)
              .select(sql`ctid`.as('ctid'))
              .where('workspace', '=', workspace)
              .where(sql<boolean>`xact > '0' and xact >= pg_snapshot_xmax(pg_current_snapshot())`)
              .orderBy('xact')
              .limit(BATCH)}))`
          )
          .executeTakeFirst()
        batch = Number(numUpdatedRows)
      }
    }
  }
  return settled
}
