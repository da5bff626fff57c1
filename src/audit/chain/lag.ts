import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { drainedTo } from './heads.js'
import { isChained } from './rows.js'

/** Of the newest rows so many are looked at, so that a scrape stays small whatever the lag is. */
const LOOKED_AT_MAX = 100_000
/** Two gauges of one scrape share an answer. */
const SHARED_MS = 500

export interface Lag {
  /** Committed audit rows that have no place in a chain yet, in the whole service. */
  rows: number
  /** Age of the oldest of them. */
  seconds: number
}

export function readLag(db: Db): () => Promise<Lag> {
  let asked: { at: number; lag: Promise<Lag> } | undefined
  return () => {
    if (asked === undefined || performance.now() - asked.at > SHARED_MS)
      asked = { at: performance.now(), lag: lagOf(db) }
    return asked.lag
  }
}

export async function lagOf(db: Db): Promise<Lag> {
  const { to } = await drainedTo(db)
  const {
    rows: [lag]
  } = await sql<Lag>`
    select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(a.timestamp)), 0)::float8 as seconds
    from (select * from audit_log where id > ${to} order by id desc limit ${LOOKED_AT_MAX}) a where not ${isChained('a')}`.execute(
    db
  )
  return lag as Lag
}
