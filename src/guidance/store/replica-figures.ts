import { sql } from 'kysely'
import type { Calls } from '../../kernel/metrics.js'
import type { Db } from '../../postgres/schema.js'

/** What a replica measures of itself. */
export interface ReplicaFigures {
  name: string
  version: string
  started_at: string
  /** Whether it stops, and these are its last figures. */
  stopped: boolean
  /** Since the figures before, or since its start: the calls are of this time. */
  seconds: number
  /** Only tools that were called. */
  calls: Record<string, Calls>
  connections: { in_use: number; waiting: number; max: number }
  event_hints: 'listen' | 'poll'
  resident_bytes: number
  /** Of the whole service. */
  search_waiting: number
  database_bytes: number
}

export interface Sample {
  replica: string
  /** Milliseconds since 1970, by the database's clock. */
  at: number
  figures: ReplicaFigures
}

const KEPT_MINUTES = 60
/** Most samples that are read, the newest: an hour of forty replicas. */
const READ_MAX = 5000

/** Writes figures, and takes away those that are older than an hour, whoever wrote them. */
export async function writeFigures(db: Db, replica: string, figures: ReplicaFigures): Promise<void> {
  await sql`
    with old as (
      delete from replica_figures where ctid = any(array(
        select ctid from replica_figures where at < clock_timestamp() - make_interval(mins => ${KEPT_MINUTES})
        for update skip locked)))
    insert into replica_figures (replica, figures) values (${replica}, ${JSON.stringify(figures)})`.execute(db)
}

/** The figures of all replicas in the last hour, from the oldest to the newest, and the database's time. */
export async function figuresOfHour(db: Db): Promise<{ now: number; samples: Sample[] }> {
  const { rows } = await sql<{ now: number; replica: string | null; at: number; figures: ReplicaFigures }>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now, f.replica, f.figures,
      (extract(epoch from f.at) * 1000)::bigint as at
    from (select) one left join (
      select * from replica_figures where at > clock_timestamp() - make_interval(mins => ${KEPT_MINUTES})
      order by at desc limit ${READ_MAX}) f on true
    order by f.at`.execute(db)
  return {
    now: rows[0]?.now ?? 0,
    samples: rows.flatMap(({ replica, at, figures }) => (replica === null ? [] : [{ replica, at, figures }]))
  }
}
