import { type Kysely, sql } from 'kysely'

/**
 * The kinds of change that a session's feed tells. The previous release neither writes nor looks for the new one: what
 * it reads changes for is to_visibility, which a deletion does not have.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // `not valid` and no second look at the rows: those that are there met the narrower rule.
  await sql`
    alter table session_changes
      drop constraint session_changes_kind_check,
      add constraint session_changes_kind_check check (kind in ('session_updated', 'visibility_changed', 'message_deleted')) not valid`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table session_changes
      drop constraint session_changes_kind_check,
      add constraint session_changes_kind_check check (kind in ('session_updated', 'visibility_changed')) not valid`.execute(
    db
  )
}
