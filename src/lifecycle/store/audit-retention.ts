import { sql } from 'kysely'
import type { AuditKeys } from '../../audit/chain/keys.js'
import * as audit from '../../audit/store/rows.js'
import { dropAuditRows } from '../../audit/chain/drop.js'
import { auditedWorkspaces } from '../../audit/chain/heads.js'
import type { Db } from '../../postgres/schema.js'
import type { Deps } from './retention.js'
import { BATCH, byService, inTurn } from '../turns.js'

/**
 * Drops the audit rows that are of age, in every workspace, up to a signed head that becomes the beginning of its
 * chain. In small transactions, each with an audit row of its own; killed between two, the next round goes on.
 * @returns how many rows went
 */
export async function applyAuditRetention(
  { db, stopping }: Pick<Deps, 'db' | 'stopping'>,
  keys: AuditKeys,
  server_days: number,
  batch = BATCH
): Promise<number> {
  let dropped = 0
  // Crosses workspaces; what follows is one's.
  for (const { workspace, days } of await thatDrop(db, server_days)) {
    const {
      rows: [row]
    } = await sql<{ before: string }>`select clock_timestamp() - make_interval(days => ${days}::int) as before`.execute(
      db
    )
    const { before } = row as { before: string }
    for (let rows: number | undefined = batch; rows !== undefined && rows > 0 && !stopping();) {
      rows = await inTurn(db, async tx => {
        const gone = await dropAuditRows(tx, keys, { workspace, before, limit: batch })
        if (gone > 0)
          await audit.write(
            tx,
            byService(workspace, 'retention', {
              event_type: 'audit_rows_dropped',
              metadata: { rows: gone, days, before }
            })
          )
        return gone
      })
      dropped += rows ?? 0
    }
  }
  return dropped
}

async function thatDrop(db: Db, server_days: number): Promise<Array<{ workspace: string; days: number }>> {
  const own = new Map(
    (await db.selectFrom('audit_retention').select(['workspace', 'days']).execute()).map(({ workspace, days }) => [
      workspace,
      days
    ])
  )
  const others = server_days > 0 ? await auditedWorkspaces(db) : []
  return [...new Set([...own.keys(), ...others])]
    .map(workspace => ({ workspace, days: own.get(workspace) ?? server_days }))
    .filter(({ days }) => days > 0)
}
