import { type Kysely, sql } from 'kysely'

/**
 * How data ends: archived sessions, deleted ones whose rows are still to be swept, erased agents, and how long a
 * workspace keeps things.
 *
 * A session is deleted by deleting its row, upon which everything that asks for it finds nothing, in the previous
 * release too. Its messages follow in small batches; `deleted_sessions` says whose are left.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column archived_at timestamptz(3)`.execute(db)
  await sql`create index sessions_archived on sessions (workspace, created_at desc, id desc) where archived_at is not null`.execute(
    db
  )
  await sql`create index sessions_not_archived on sessions (workspace, created_at desc, id desc) where archived_at is null`.execute(
    db
  )

  // Whose a deleted message was: its own row is gone, and who may hear of it depends on that.
  await sql`
    alter table session_changes
      add column sender text collate "C",
      add column sender_type text collate "C",
      drop constraint session_changes_kind_check,
      add constraint session_changes_kind_check check (kind in ('session_updated', 'visibility_changed', 'message_deleted', 'session_deleted')) not valid`.execute(
    db
  )
  await sql`create index session_changes_of_messages_by_age on session_changes (workspace, changed_at) where message_id is not null`.execute(
    db
  )
  await sql`create index session_changes_of_deleted_sessions on session_changes (changed_at) where kind = 'session_deleted'`.execute(
    db
  )

  await sql`
    create table deleted_sessions (
      workspace text collate "C" not null default 'default',
      session_id text collate "C" not null,
      deleted_at timestamptz(3) not null default clock_timestamp(),
      primary key (workspace, session_id)
    )`.execute(db)
  // Answers kept for repeats that show a session or a message of it: they go with it.
  await sql`
    create index idempotency_keys_by_session on idempotency_keys (workspace, coalesce(answer #>> '{session,id}', answer #>> '{message,session_id}', answer ->> 'session_id'))
    where jsonb_typeof(answer) = 'object'`.execute(db)
  await sql`create index agent_memory_by_session on agent_memory (workspace, session_id) where session_id <> ''`.execute(
    db
  )
  await sql`create index read_cursors_by_session on read_cursors (workspace, session_id)`.execute(db)

  await sql`
    create table erased_agents (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      -- What stands in the agent's place from now on.
      pseudonym text collate "C" not null,
      -- Messages up to this id are its; who comes under the same name later is somebody else.
      up_to_message_id bigint not null,
      request_id text not null,
      messages_erased bigint not null default 0,
      erased_at timestamptz(3) not null default clock_timestamp(),
      -- Whatever began before this transaction may still write under the name.
      xact xid8 not null default pg_current_xact_id(),
      primary key (workspace, agent_id)
    )`.execute(db)

  await sql`
    create table retention (
      workspace text collate "C" not null default 'default' primary key,
      -- Days that messages and closed sessions are kept; 0 for ever.
      days integer not null check (days >= 0),
      set_at timestamptz(3) not null default clock_timestamp()
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table retention, erased_agents, deleted_sessions`.execute(db)
  await sql`drop index idempotency_keys_by_session, read_cursors_by_session, agent_memory_by_session, session_changes_of_deleted_sessions, session_changes_of_messages_by_age`.execute(
    db
  )
  await sql`delete from session_changes where kind = 'session_deleted'`.execute(db)
  await sql`
    alter table session_changes
      drop column sender,
      drop column sender_type,
      drop constraint session_changes_kind_check,
      add constraint session_changes_kind_check check (kind in ('session_updated', 'visibility_changed', 'message_deleted')) not valid`.execute(
    db
  )
  await sql`alter table sessions drop column archived_at`.execute(db)
}
