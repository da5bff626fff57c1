import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/**
 * A range of scanned ids in which a row may still appear. PostgreSQL assigns ids before the commit, so rows become
 * visible in any order. A transaction that has an id holds the table lock of its insert until after its row is visible.
 * So a row can appear in a scanned range only while a transaction runs that held this lock during the scan.
 */
export interface IdGap {
  /** The range starts after this id … */
  after: number
  /** … and ends with this one. */
  up_to: number
  /** The transactions that may still write there; undefined: not read since the last scan. */
  writers: ReadonlySet<string> | undefined
}

/** The running transactions that have written to the audit log. */
export async function activeWriters(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ writer: string }>`
    select distinct virtualtransaction as writer from pg_locks
    where locktype = 'relation' and mode = 'RowExclusiveLock' and relation = 'audit_log'::regclass
      and database = (select oid from pg_database where datname = current_database())`.execute(db)
  return new Set(rows.map(({ writer }) => writer))
}

/** The last id that the sequence has assigned. */
export async function lastId(db: Db): Promise<number> {
  const {
    rows: [row]
  } = await sql<{
    last: number | null
  }>`select pg_sequence_last_value(pg_get_serial_sequence('audit_log', 'id')::regclass) as last`.execute(db)
  return row?.last ?? 0
}

/** Whether a row may have appeared in the gap since its last scan: one of its writers has ended. */
export function isDue({ writers }: IdGap, active: ReadonlySet<string>): boolean {
  return writers === undefined || [...writers].some(writer => !active.has(writer))
}

/**
 * The gap after a scan whose snapshot is newer than `active`; undefined if no transaction can write there any more.
 */
export function afterScan(gap: IdGap, active: ReadonlySet<string>): IdGap | undefined {
  const writers = new Set([...(gap.writers ?? active)].filter(writer => active.has(writer)))
  return writers.size === 0 ? undefined : { ...gap, writers }
}

/**
 * Merges adjacent gaps with the same writers, so that the list does not grow while one transaction runs for an hour.
 */
export function mergeGaps(gaps: readonly IdGap[]): IdGap[] {
  const result: IdGap[] = []
  for (const gap of gaps) {
    const last = result.at(-1)
    if (
      last?.writers !== undefined &&
      gap.writers !== undefined &&
      last.up_to === gap.after &&
      isEqual(last.writers, gap.writers)
    )
      last.up_to = gap.up_to
    else result.push({ ...gap })
  }
  return result
}

function isEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(one => b.has(one))
}
