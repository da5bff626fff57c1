import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import type { WorkspaceSize } from '../workspace-size.js'

/**
 * @param workspaces in any order; the sizes come in the same
 * @param server_days how long messages are kept without a setting
 */
export async function sizesOf(db: Db, workspaces: readonly string[], server_days: number): Promise<WorkspaceSize[]> {
  const { rows } = await sql<WorkspaceSize>`
    select w.workspace, s.*, m.*, a.*, coalesce(r.days, ${server_days}::int) as retention_days,
      (select count(*) from api_keys k where k.workspace = w.workspace and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > clock_timestamp())) as api_keys
    from unnest(${workspaces}::text[]) with ordinality as w (workspace, n)
    cross join lateral (
      select count(*) as sessions, coalesce(sum(last_seq), 0)::bigint as session_messages,
        coalesce(sum(content_bytes), 0)::bigint as session_bytes,
        json_build_object('session_messages', coalesce(max(last_seq), 0),
          'session_bytes', coalesce(max(content_bytes), 0)) as largest_session
      from sessions s where s.workspace = w.workspace) s
    cross join lateral (
      select coalesce(sum(entries), 0)::bigint as memory_entries, coalesce(sum(bytes), 0)::bigint as memory_bytes,
        json_build_object('memory_entries', coalesce(max(entries), 0),
          'memory_bytes', coalesce(max(bytes), 0)) as largest_memory
      from memory_usage u where u.workspace = w.workspace) m
    cross join lateral (
      select count(*) as agents, max(last_seen_at) as last_seen_at from agents a where a.workspace = w.workspace) a
    left join retention r on r.workspace = w.workspace
    order by w.n`.execute(db)
  return rows
}
