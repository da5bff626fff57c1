import { type RawBuilder, sql } from 'kysely'
import { type Background, inBackground } from '../postgres/background.js'
import { KEPT_HOURS } from '../postgres/idempotency.js'
import { IDLE_HOURS } from '../agents/store/mcp-sessions.js'
import { PRESENT_MINUTES } from '../agents/store/presence.js'
import type { Db } from '../postgres/schema.js'
import { inTurn } from '../postgres/turns.js'

/**
 * Deletes expired rows to free their space. Every read ignores expired rows, so nothing depends on when this runs.
 */

const EVERY_MS = 60_000
/** Rows of one transaction: about 10 ms, so that no lock is held for long. */
const BATCH = 1000

const expired: Array<[table: string, condition: RawBuilder<boolean>]> = [
  ['agent_memory', sql`expires_at < clock_timestamp()`],
  // A revoked token stays in the table until it expires.
  ['tokens', sql`expires_at < clock_timestamp() - interval '1 hour'`],
  ['mcp_sessions', sql`last_seen_at < clock_timestamp() - make_interval(hours => ${IDLE_HOURS})`],
  ['idempotency_keys', sql`created_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS})`],
  ['agents', sql`last_seen_at < clock_timestamp() - interval '30 days'`],
  // A lease keeps its row for a while, as migrations/0093-leases.ts says.
  ['leases', sql`expires_at < clock_timestamp() - interval '1 hour'`],
  ['agent_waits', sql`until < clock_timestamp()`],
  ['rate_limits', sql`ends_at < clock_timestamp()`],
  // By then, every reader that follows all sessions has received the deletion.
  ['session_changes', sql`kind = 'session_deleted' and changed_at < clock_timestamp() - interval '30 days'`],
  ['session_presence', sql`last_seen_at < clock_timestamp() - make_interval(mins => ${PRESENT_MINUTES})`]
]

/**
 * Deletes the expired rows of all tables.
 * @returns how many rows were deleted; 0 also while another replica sweeps
 */
export async function sweep(db: Db, stopping: () => boolean = () => false): Promise<number> {
  let freed = 0
  for (const [table, condition] of expired) {
    for (let batch = BATCH; batch === BATCH && !stopping();) {
      const deleted = await inTurn(db, 'sweep', tx =>
        sql`
          delete from ${sql.table(table)} where ctid = any(array(
            select ctid from ${sql.table(table)} where ${condition} limit ${BATCH} for update skip locked))`.execute(tx)
      )
      batch = Number(deleted?.numAffectedRows ?? 0n)
      freed += batch
    }
  }
  return freed
}

export function sweepRegularly(db: Db, onFault: (error: unknown) => void): Background {
  return inBackground(
    async stopping => {
      await sweep(db, stopping)
      return EVERY_MS
    },
    onFault,
    EVERY_MS
  )
}
