import { sql } from 'kysely'
import { cachedReading } from '../../kernel/cached-reading.js'
import type { Db } from '../../postgres/schema.js'

/** Gauges of the whole service. Every replica reports the same values, since they come from the database. */
export interface Figures {
  /** Sessions with a message within the last hour. */
  active_sessions: number
  /** Agents that called within the last 5 minutes. */
  active_agents: number
}

/** A replica reads them at most this often, because the query reads every session. */
const CACHE_MS = 15_000

export function readFigures(db: Db): () => Promise<Figures> {
  return cachedReading(() => query(db), CACHE_MS)
}

async function query(db: Db): Promise<Figures> {
  const { rows } = await sql<Figures>`
    select (select count(*) from sessions where last_message_at > clock_timestamp() - interval '1 hour') as
      active_sessions,
           (select count(*) from agents where last_seen_at > clock_timestamp() - interval '5 minutes') as
             active_agents`.execute(db)
  return rows[0] as Figures
}

/** The size of the database on disk. */
export async function databaseBytes(db: Db): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db)
  return rows[0]?.bytes ?? 0
}

/** The size of the database on disk in bytes, and the planner's estimate of the rows of each table. */
export async function databaseSize(db: Db): Promise<{ bytes: number; rows: Record<string, number> }> {
  const { rows } = await sql<{ bytes: number; rows: Record<string, number> }>`
    select pg_database_size(current_database()) as bytes,
           (select json_object_agg(relname, greatest(reltuples, 0)::bigint) from pg_class
            where oid in ('sessions'::regclass, 'messages'::regclass, 'agent_memory'::regclass,
              'audit_log'::regclass)) as rows`.execute(db)
  return rows[0] as { bytes: number; rows: Record<string, number> }
}
