import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/**
 * Ids are given before they are committed, and may become visible in any order. Whoever was given one holds the lock
 * that an insert takes on the table until it ends, and becomes visible before it lets go: so a row can still appear
 * among ids that have been looked through only while somebody lives who held this lock then.
 */
export interface IdGap {
  /** Ids from the one after this … */
  after: number
  /** … up to this. */
  up_to: number
  /** The transactions that may still write there; undefined: not asked yet, since the ids were last looked through. */
  writers: ReadonlySet<string> | undefined
}

/** Who has begun to write to the audit log, and has not ended. */
export async function writersNow(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ writer: string }>`
    select distinct virtualtransaction as writer from pg_locks
    where locktype = 'relation' and mode = 'RowExclusiveLock' and relation = 'audit_log'::regclass
      and database = (select oid from pg_database where datname = current_database())`.execute(db)
  return new Set(rows.map(({ writer }) => writer))
}

/** The last id that was given to anybody. */
export async function lastGiven(db: Db): Promise<number> {
  const {
    rows: [row]
  } = await sql<{
    last: number | null
  }>`select pg_sequence_last_value(pg_get_serial_sequence('audit_log', 'id')::regclass) as last`.execute(db)
  return row?.last ?? 0
}

/** Whether a row may have appeared there since it was last looked through. */
export function isDue({ writers }: IdGap, now: ReadonlySet<string>): boolean {
  return writers === undefined || [...writers].some(writer => !now.has(writer))
}

/**
 * The stretch after it has been looked through, by a snapshot taken after `now` was; undefined where nobody can write
 * there any more.
 */
export function lookedThrough(stretch: IdGap, now: ReadonlySet<string>): IdGap | undefined {
  const writers = new Set([...(stretch.writers ?? now)].filter(writer => now.has(writer)))
  return writers.size === 0 ? undefined : { ...stretch, writers }
}

/** Neighbours that wait for the same writers become one: while one writer takes an hour, the list does not grow. */
export function merged(stretches: readonly IdGap[]): IdGap[] {
  const result: IdGap[] = []
  for (const stretch of stretches) {
    const last = result.at(-1)
    if (
      last?.writers !== undefined &&
      stretch.writers !== undefined &&
      last.up_to === stretch.after &&
      isEqual(last.writers, stretch.writers)
    )
      last.up_to = stretch.up_to
    else result.push({ ...stretch })
  }
  return result
}

function isEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(one => b.has(one))
}
