import { type RawBuilder, sql } from 'kysely'
import { type Background, inBackground } from '../postgres/background.js'
import { KEPT_HOURS } from '../postgres/idempotency.js'
import { IDLE_HOURS } from '../agents/store/mcp-sessions.js'
import { PRESENT_MINUTES } from '../agents/store/presence.js'
import { CLOCK } from '../postgres/clock.js'
import type { Db } from '../postgres/schema.js'
import { withWorkLock } from '../postgres/work-lock.js'

/**
 * Deletes expired rows to free their space. Every read ignores expired rows, so nothing depends on when this runs.
 */

const EVERY_MS = 60_000
/** Rows of one transaction: about 10 ms, so that no lock is held for long. */
const BATCH = 1000

const hours = (count: number) => sql`make_interval(hours => ${count})`
const days = (count: number) => sql`make_interval(days => ${count})`

/** A row goes so long after the time in its column. */
const expired: Array<{ table: string; column: string; after?: RawBuilder<unknown>; only?: RawBuilder<boolean> }> = [
  { table: 'agent_memory', column: 'expires_at' },
  // A revoked token stays in the table until it expires.
  { table: 'tokens', column: 'expires_at', after: hours(1) },
  { table: 'mcp_sessions', column: 'last_seen_at', after: hours(IDLE_HOURS) },
  { table: 'idempotency_keys', column: 'created_at', after: hours(KEPT_HOURS) },
  { table: 'agents', column: 'last_seen_at', after: days(30) },
  // A lease keeps its row for a while, as migrations/0093-leases.ts says.
  { table: 'leases', column: 'expires_at', after: hours(1) },
  { table: 'agent_waits', column: 'until' },
  { table: 'rate_limits', column: 'ends_at' },
  // By then, every reader that follows all sessions has received the deletion.
  { table: 'session_changes', column: 'changed_at', after: days(30), only: sql`kind = 'session_deleted'` },
  { table: 'session_presence', column: 'last_seen_at', after: sql`make_interval(mins => ${PRESENT_MINUTES})` }
]

/**
 * Deletes the expired rows of all tables.
 * @returns how many rows were deleted; 0 also while another replica sweeps
 */
export async function sweep(db: Db, stopping: () => boolean = () => false): Promise<number> {
  let freed = 0
  for (const { table, column, after = hours(0), only = sql<boolean>`true` } of expired) {
    for (let batch = BATCH; batch === BATCH && !stopping();) {
      const deleted = await withWorkLock(db, 'sweep', tx =>
        sql`
          delete from ${sql.table(table)} where ctid = any(array(
            select ctid from ${sql.table(table)} where ${only} and ${sql.ref(column)} < ${CLOCK} - ${after}
            order by ${sql.ref(column)} limit ${BATCH} for update skip locked))`.execute(tx)
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
