import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { drainedTo } from './heads.js'
import { isChained } from './rows.js'

/** Only this many of the newest rows are read, so that a scrape stays cheap at any lag. */
const SCAN_MAX = 100_000
/** The two gauges of one scrape share a result. */
const CACHE_MS = 500

export interface Lag {
  /** Committed audit rows of all workspaces that are not chained yet. */
  rows: number
  /** Age of the oldest of these rows. */
  seconds: number
}

export function readLag(db: Db): () => Promise<Lag> {
  let cached: { read_at: number; lag: Promise<Lag> } | undefined
  return () => {
    if (cached === undefined || performance.now() - cached.read_at > CACHE_MS)
      cached = { read_at: performance.now(), lag: lagOf(db) }
    return cached.lag
  }
}

export async function lagOf(db: Db): Promise<Lag> {
  const { to } = await drainedTo(db)
  const {
    rows: [lag]
  } = await sql<Lag>`
    select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(a.timestamp)), 0)::float8 as seconds
    from (select * from audit_log where id > ${to} order by id desc limit ${SCAN_MAX}) a
      where not ${isChained('a')}`.execute(db)
  return lag as Lag
}
