import { type RawBuilder, sql } from 'kysely'

/**
 * Whether a search of all sessions includes this one. It excludes archived sessions, and deleted ones whose messages
 * are not swept yet. If the workspace has neither, no row needs a lookup. (A scalar subquery, since PostgreSQL would
 * turn an `exists` into a join and read whole tables.)
 */
export function inListedSession(workspace: string, session_id: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`((select not exists (select from sessions where workspace = ${workspace}
      and archived_at is not null)
      and not exists (select from deleted_sessions where workspace = ${workspace}))
    or (select listed.archived_at is null from sessions listed where listed.workspace = ${workspace}
      and listed.id = ${session_id}))`
}
