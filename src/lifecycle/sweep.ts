import { type RawBuilder, sql } from 'kysely'
import { type Background, inBackground } from '../postgres/background.js'
import { KEPT_HOURS } from '../postgres/idempotency.js'
import { IDLE_HOURS } from '../agents/store/mcp-sessions.js'
import { PRESENT_MINUTES } from '../agents/store/presence.js'
import type { Db } from '../postgres/schema.js'

/**
 * Frees the space of what has expired. Reads leave expired rows out by themselves, so nothing depends on when this
 * runs.
 */

const EVERY_MS = 60_000
/** About 10 ms a batch, so that no lock is held for long. */
const BATCH = 1000
/** One sweeper in a database at a time; any fixed number that nothing else here locks. */
const LOCK = 7_261_002

const expired: Array<[table: string, condition: RawBuilder<boolean>]> = [
  ['agent_memory', sql`expires_at < clock_timestamp()`],
  // A revoked token is remembered for as long as it could be presented.
  ['tokens', sql`expires_at < clock_timestamp() - interval '1 hour'`],
  ['mcp_sessions', sql`last_seen_at < clock_timestamp() - make_interval(hours => ${IDLE_HOURS})`],
  ['idempotency_keys', sql`created_at < clock_timestamp() - make_interval(hours => ${KEPT_HOURS})`],
  ['agents', sql`last_seen_at < clock_timestamp() - interval '30 days'`],
  ['rate_limits', sql`ends_at < clock_timestamp()`],
  // Whoever follows all sessions has been told of a deletion by then.
  ['session_changes', sql`kind = 'session_deleted' and changed_at < clock_timestamp() - interval '30 days'`],
  ['session_presence', sql`last_seen_at < clock_timestamp() - make_interval(mins => ${PRESENT_MINUTES})`]
]

/** One round over all tables. @returns how many rows went; 0 also where another replica is at it */
export async function sweep(db: Db): Promise<number> {
  let freed = 0
  for (const [table, condition] of expired) {
    for (let batch = BATCH; batch === BATCH;) {
      batch = await db.transaction().execute(async tx => {
        const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as ours`.execute(tx)
        if (rows[0]?.ours !== true) return 0
        const gone = await sql`
          delete from ${sql.table(table)} where ctid = any(array(
            select ctid from ${sql.table(table)} where ${condition} limit ${BATCH} for update skip locked))`.execute(tx)
        return Number(gone.numAffectedRows ?? 0n)
      })
      freed += batch
    }
  }
  return freed
}

export function sweepRegularly(db: Db, onFault: (error: unknown) => void): Background {
  return inBackground(
    async () => {
      await sweep(db)
      return EVERY_MS
    },
    onFault,
    EVERY_MS
  )
}
