import { sql } from 'kysely'
import { cachedReading } from '../../kernel/cached-reading.js'
import type { Db } from '../../postgres/schema.js'

/** Of all workspaces. Every replica reports the same, since it comes from the database. */
export interface TaskFigures {
  /** Tasks that anybody could claim now. */
  ready: number
  /** Tasks that somebody has claimed. */
  held: number
  /** Seconds since the oldest ready task last changed; 0 if none is ready. */
  oldest_seconds: number
}

/** More are not counted, so that reading the metrics stays cheap. */
export const COUNTED_MAX = 100_000
/** Milliseconds for which one reading serves. */
const CACHE_MS = 5000

/** @param db sees all workspaces */
export function readTaskFigures(db: Db): () => Promise<TaskFigures> {
  return cachedReading(() => query(db), CACHE_MS)
}

async function query(db: Db): Promise<TaskFigures> {
  const { rows } = await sql<TaskFigures>`
    select ready.count as ready, held.count as held, coalesce(ready.seconds, 0)::float8 as oldest_seconds
    from
      (select count(*) as count, extract(epoch from clock_timestamp() - min(updated_at)) as seconds
       from (select updated_at from tasks where state = 'submitted' and blocked = 0
             limit ${COUNTED_MAX}) counted) ready,
      (select count(*) as count
       from (select from tasks where lease_expires_at is not null limit ${COUNTED_MAX}) counted) held`.execute(db)
  return rows[0] as TaskFigures
}
