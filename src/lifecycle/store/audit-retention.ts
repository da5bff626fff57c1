import type { AuditKeys } from '../../audit/chain/keys.js'
import * as audit from '../../audit/store/rows.js'
import { dropAuditRows } from '../../audit/chain/drop.js'
import { auditedWorkspaces } from '../../audit/chain/heads.js'
import { databaseTime } from '../../postgres/clock.js'
import type { Deps } from './retention.js'
import { requireSetting, SettingChanged, workspacesToExpire } from './retention-setting.js'
import { BATCH, underLock } from './batch.js'

/**
 * Drops the expired audit rows of every workspace, up to a signed head that becomes the beginning of its chain. It
 * works in small transactions, each with an audit row; after a crash, the next round continues.
 * @returns how many rows were dropped
 */
export async function applyAuditRetention(
  { db, stopping }: Pick<Deps, 'db' | 'stopping'>,
  keys: AuditKeys,
  server_days: number,
  batch = BATCH
): Promise<number> {
  let dropped = 0
  const workspaces = await auditedWorkspaces(db)
  for (const { workspace, days } of await workspacesToExpire(db, 'audit_retention', workspaces, server_days)) {
    const before = await databaseTime(db, days)
    for (let rows: number | undefined = batch; rows !== undefined && rows > 0 && !stopping();) {
      rows = await underLock(db, async tx => {
        const dropped_rows = await dropAuditRows(tx, keys, { workspace, before, limit: batch })
        if (dropped_rows > 0) {
          await audit.writeWithoutAgent(tx, workspace, 'retention', {
            event_type: 'audit_rows_dropped',
            metadata: { rows: dropped_rows, days, before }
          })
          await requireSetting(tx, 'audit_retention', { workspace, days, server_days })
        }
        return dropped_rows
      }).catch((error: unknown) => {
        // The next round goes by the new setting.
        if (error instanceof SettingChanged) return undefined
        throw error
      })
      dropped += rows ?? 0
    }
  }
  return dropped
}
