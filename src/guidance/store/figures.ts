import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/** The figures of the whole service, equal on every replica since they come from the database. */
export interface Figures {
  /** Sessions with a message within the last hour. */
  active_sessions: number
  /** Agents that called within the last 5 minutes. */
  active_agents: number
}

/** Figures are read at most this often by a replica, however often it is scraped: they look at every session. */
const FRESH_MS = 15_000

export function readFigures(db: Db): () => Promise<Figures> {
  let at = -Infinity
  let reading: Promise<Figures> | undefined
  return () => {
    if (reading === undefined || performance.now() - at > FRESH_MS) {
      at = performance.now()
      reading = query(db)
      reading.catch(() => {
        reading = undefined
      })
    }
    return reading
  }
}

async function query(db: Db): Promise<Figures> {
  const { rows } = await sql<Figures>`
    select (select count(*) from sessions where last_message_at > clock_timestamp() - interval '1 hour') as active_sessions,
           (select count(*) from agents where last_seen_at > clock_timestamp() - interval '5 minutes') as active_agents`.execute(
    db
  )
  return rows[0] as Figures
}

/** Bytes on disk, and how many rows the tables have by the planner's estimate. */
export async function databaseSize(db: Db): Promise<{ bytes: number; rows: Record<string, number> }> {
  const { rows } = await sql<{ bytes: number; rows: Record<string, number> }>`
    select pg_database_size(current_database()) as bytes,
           (select json_object_agg(relname, greatest(reltuples, 0)::bigint) from pg_class
            where oid in ('sessions'::regclass, 'messages'::regclass, 'agent_memory'::regclass, 'audit_log'::regclass)) as rows`.execute(
    db
  )
  return rows[0] as { bytes: number; rows: Record<string, number> }
}
