import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/** How often a replica asks for new revocations. With the reading itself, well under the 2 s the contract allows. */
const EVERY_MS = 500
/** A reading older than this is not trusted: each request then asks the database. */
const TRUSTED_MS = 2000
/** How far each reading reaches back over the last one, at least: a revocation is stamped before it commits. */
const OVERLAP_SECONDS_MIN = 60

/** No token lives longer, so what was made with a key that was revoked longer ago has ended. */
const KEYS_DAYS = 366

/**
 * Which tokens and API keys have been revoked, known to every replica without asking the database on each request. Not
 * a cache that can make replicas differ for long: where it could not be read for 2 s, the database decides.
 */
export interface Revocations {
  /**
   * @param after only a revocation later than this counts: for the mark of an agent, of which there is one however
   * often it is set
   */
  has: (id: string, after?: Date) => Promise<boolean>
  /** The same from memory alone; undefined where it cannot tell. */
  known: (id: string, after?: Date) => boolean | undefined
  /** Begins to read. */
  start: () => void
  close: () => void
}

/**
 * @param db a connection of its own, so that busy requests cannot keep it from reading
 * @param statement_timeout_ms the longest that a statement may take from its stamp to its commit
 */
export function followRevocations(db: Db, statement_timeout_ms: number): Revocations {
  const overlapSeconds = Math.max(OVERLAP_SECONDS_MIN, (2 * statement_timeout_ms) / 1000)
  const revoked = new Map<string, { at: number; until: number }>()
  let known = false
  let read_at = -Infinity
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    const asked_at = performance.now()
    const since = known ? sql`and revoked_at > clock_timestamp() - make_interval(secs => ${overlapSeconds})` : sql``
    const { rows } = await sql<{ id: string; at: string; until: string }>`
      select jti as id, revoked_at as at, expires_at as until from tokens where revoked_at is not null ${since} and expires_at > clock_timestamp()
      union all
      select key_id, revoked_at, revoked_at + make_interval(days => ${KEYS_DAYS}) from api_keys
      where revoked_at is not null ${since} and revoked_at > clock_timestamp() - make_interval(days => ${KEYS_DAYS})`.execute(
      db
    )
    for (const { id, at, until } of rows) revoked.set(id, { at: Date.parse(at), until: Date.parse(until) })
    for (const [id, { until }] of revoked) if (until <= Date.now()) revoked.delete(id)
    // After a gap longer than the overlap everything is read anew.
    known = true
    read_at = asked_at
  }

  async function loop(): Promise<void> {
    if (performance.now() - read_at > overlapSeconds * 500) known = false
    try {
      await read()
    } catch {
      // The database is away; `has` asks for itself until a reading succeeds.
    }
    if (!closed) {
      timer = setTimeout(() => {
        void loop()
      }, EVERY_MS)
      timer.unref()
    }
  }
  function knownOf(id: string, after?: Date): boolean | undefined {
    const found = revoked.get(id)
    if (found !== undefined && (after === undefined || found.at > after.getTime())) return true
    return performance.now() - read_at <= TRUSTED_MS ? false : undefined
  }

  return {
    start() {
      void loop()
    },
    known: knownOf,
    async has(id, after = new Date(0)) {
      const told = knownOf(id, after)
      if (told !== undefined) return told
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
