import { sql } from 'kysely'
import type { Db } from './schema.js'

/** How often a replica asks for new revocations. With the reading itself, well under the 2 s the contract allows. */
const EVERY_MS = 500
/** A reading older than this is not trusted: each request then asks the database. */
const TRUSTED_MS = 2000
/** How far each reading reaches back over the last one, at least: a revocation is stamped before it commits. */
const OVERLAP_SECONDS_MIN = 60

/**
 * Which tokens have been revoked, known to every replica without asking the database on each request. Not a cache that can
 * make replicas differ for long: where it could not be read for 2 s, the database decides.
 */
export interface Revocations {
  has: (jti: string) => Promise<boolean>
  /** The same from memory alone; undefined where it cannot tell. */
  known: (jti: string) => boolean | undefined
  close: () => void
}

/**
 * @param db a connection of its own, so that busy requests cannot keep it from reading
 * @param statement_timeout_ms the longest that a statement may take from its stamp to its commit
 */
export function followRevocations (db: Db, statement_timeout_ms: number): Revocations {
  const overlapSeconds = Math.max(OVERLAP_SECONDS_MIN, 2 * statement_timeout_ms / 1000)
  const revoked = new Map<string, number>()
  let known = false
  let read_at = -Infinity
  let closed = false
  let timer: NodeJS.Timeout

  async function read (): Promise<void> {
    const asked_at = performance.now()
    const { rows } = await sql<{ jti: string, expires_at: string }>`
      select jti, expires_at from tokens
      where revoked_at is not null ${known ? sql`and revoked_at > clock_timestamp() - make_interval(secs => ${overlapSeconds})` : sql``}
        and expires_at > clock_timestamp()`.execute(db)
    for (const row of rows) revoked.set(row.jti, Date.parse(row.expires_at))
    for (const [jti, expires] of revoked) if (expires <= Date.now()) revoked.delete(jti)
    // After a gap longer than the overlap everything is read anew.
    known = true
    read_at = asked_at
  }

  async function loop (): Promise<void> {
    if (performance.now() - read_at > overlapSeconds * 500) known = false
    try {
      await read()
    } catch {
      // The database is away; `has` asks for itself until a reading succeeds.
    }
    if (!closed) {
      timer = setTimeout(() => { void loop() }, EVERY_MS)
      timer.unref()
    }
  }
  void loop()

  function knownOf (jti: string): boolean | undefined {
    if (revoked.has(jti)) return true
    return performance.now() - read_at <= TRUSTED_MS ? false : undefined
  }

  return {
    known: knownOf,
    async has (jti) {
      const told = knownOf(jti)
      if (told !== undefined) return told
      const row = await db.selectFrom('tokens').select('jti').where('jti', '=', jti).where('revoked_at', 'is not', null).executeTakeFirst()
      return row !== undefined
    },
    close () {
      closed = true
      clearTimeout(timer)
    }
  }
}
