import { type RawBuilder, sql } from 'kysely'

/**
 * Whether a search of all sessions looks into this one: not into one that is archived, nor into one that was deleted
 * and whose messages are still to be swept. Where a workspace has neither, no row is asked about. (A scalar subquery,
 * since an `exists` would be made a join, for which whole tables are read.)
 */
export function inListedSession(workspace: string, session_id: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`((select not exists (select from sessions where workspace = ${workspace} and archived_at is not null)
      and not exists (select from deleted_sessions where workspace = ${workspace}))
    or (select listed.archived_at is null from sessions listed where listed.workspace = ${workspace} and listed.id = ${session_id}))`
}
