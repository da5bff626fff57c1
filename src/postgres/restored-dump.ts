import { sql } from 'kysely'
import type { Db } from './schema.js'

/** Rows of one statement, which takes about a second. */
const BATCH = 10_000

/**
 * Repairs the rows of a dump that was restored into another server. A row names the transaction that wrote it (`xact`).
 * The new server has not given out that number yet. When it does, readers would take the old row for a new one. So the
 * row gets 0, which means "before anybody followed".
 *
 * A row that a snapshot shows, and whose transaction is still to come in that snapshot, can only be such a row. So this
 * is safe while others write. The server reaches the lowest numbers first, so they are repaired first.
 * @returns how many rows were repaired
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
