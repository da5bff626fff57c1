import { sql } from 'kysely'
import { DatabaseClock } from '../clock.js'
import type { Db } from '../../postgres/schema.js'

/** How often a replica reads new revocations. Including the query, well below the 2 seconds that are promised. */
const POLL_MS = 500
/** If the last reading is older than this, each request asks the database. */
const CACHE_VALID_MS = 2000
/** The least time by which readings overlap: a revocation gets its timestamp before it commits. */
const OVERLAP_SECONDS_MIN = 60

/** No token lives longer than this, so revocations of keys that are older no longer matter. */
const KEY_REVOCATION_DAYS = 366

/**
 * The revoked tokens and API keys, kept in memory so that requests need no query. Replicas differ for at most 2
 * seconds: if the data could not be read for that long, the database decides.
 */
export interface Revocations {
  /**
   * Whether the id is revoked.
   * @param after count only a revocation later than this: an agent has one marker, whose time changes
   */
  has: (id: string, after?: Date) => Promise<boolean>
  /** The same from memory alone; undefined if memory is out of date. */
  known: (id: string, after?: Date) => boolean | undefined
  /** Begins to read. @returns when the first reading has succeeded or failed */
  start: () => Promise<void>
  close: () => void
}

/**
 * Reads revocations, and the database's clock, in the background.
 * @param db a separate connection, so that busy requests cannot delay it
 * @param statement_timeout_ms the longest time between the timestamp of a revocation and its commit
 */
export function followRevocations(db: Db, statement_timeout_ms: number, clock = new DatabaseClock()): Revocations {
  const overlapSeconds = Math.max(OVERLAP_SECONDS_MIN, (2 * statement_timeout_ms) / 1000)
  const revoked = new Map<string, { at: number; until: number }>()
  let isLoaded = false
  let read_at = -Infinity
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    const asked_at = performance.now()
    const since = isLoaded ? sql`and revoked_at > clock_timestamp() - make_interval(secs => ${overlapSeconds})` : sql``
    const { rows } = await sql<{ id: string | null; at: string; until: string }>`
      select null as id, clock_timestamp() as at, clock_timestamp() as until
      union all
      select jti, revoked_at, expires_at from tokens where revoked_at is not null ${since}
        and expires_at > clock_timestamp()
      union all
      select key_id, revoked_at, revoked_at + make_interval(days => ${KEY_REVOCATION_DAYS}) from api_keys
      where revoked_at is not null ${since} and revoked_at > clock_timestamp() - make_interval(days =>
        ${KEY_REVOCATION_DAYS})`.execute(db)
    for (const { id, at, until } of rows) {
      if (id === null) clock.set(Date.parse(at), asked_at, performance.now())
      else revoked.set(id, { at: Date.parse(at), until: Date.parse(until) })
    }
    for (const [id, { until }] of revoked) if (until <= clock.now()) revoked.delete(id)
    // After a gap longer than the overlap, everything is read again.
    isLoaded = true
    read_at = asked_at
  }

  async function loop(): Promise<void> {
    if (performance.now() - read_at > overlapSeconds * 500) isLoaded = false
    try {
      await read()
    } catch {
      // The database is unavailable; `has` queries it directly until a reading succeeds.
    }
    if (!closed) {
      timer = setTimeout(() => {
        void loop()
      }, POLL_MS)
      timer.unref()
    }
  }
  function lookUp(id: string, after?: Date): boolean | undefined {
    const found = revoked.get(id)
    if (found !== undefined && (after === undefined || found.at > after.getTime())) return true
    return performance.now() - read_at <= CACHE_VALID_MS ? false : undefined
  }

  return {
    start: loop,
    known: lookUp,
    async has(id, after = new Date(0)) {
      const cached = lookUp(id, after)
      if (cached !== undefined) return cached
      const { rows } = await sql`
        select from tokens where jti = ${id} and revoked_at > ${after.toISOString()}
        union all select from api_keys where key_id = ${id} and revoked_at > ${after.toISOString()}`.execute(db)
      return rows.length > 0
    },
    close() {
      closed = true
      clearTimeout(timer)
    }
  }
}
