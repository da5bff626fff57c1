import { sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'

/** How much a workspace holds, beside what quotas allow. */
export interface WorkspaceSize {
  workspace: string
  sessions: number
  /** Numbers given in its sessions: messages, and later changes. */
  session_messages: number
  /** Bytes ever written into its sessions. */
  session_bytes: number
  /** The most of one session. */
  largest_session: { session_messages: number; session_bytes: number }
  memory_entries: number
  memory_bytes: number
  /** The most of one agent. */
  largest_memory: { memory_entries: number; memory_bytes: number }
  agents: number
  /** When one of its agents last called. */
  last_seen_at: string | null
  /** Keys that are valid. */
  api_keys: number
  /** Days that messages are kept, by its own setting. */
  retention_days: number | null
}

/** @param workspaces in any order; the sizes come in the same */
export async function sizesOf(db: Db, workspaces: readonly string[]): Promise<WorkspaceSize[]> {
  const { rows } = await sql<WorkspaceSize>`
    select w.workspace, s.*, m.*, a.*, r.days as retention_days,
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
