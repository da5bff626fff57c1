import { type Kysely, sql } from 'kysely'

/**
 * An agent's own keys and values, in one scope: a session, or '' for global (a null would never conflict with itself).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table agent_memory (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      session_id text collate "C" not null default '',
      key text collate "C" not null,
      value jsonb not null,
      metadata jsonb not null default '{}',
      version integer not null default 1,
      value_size integer not null,
      created_at timestamptz(3) not null default clock_timestamp(),
      updated_at timestamptz(3) not null default clock_timestamp(),
      expires_at timestamptz(3),
      primary key (workspace, agent_id, session_id, key)
    ) with (fillfactor = 80)`.execute(db)
  await sql`create index agent_memory_latest on agent_memory (workspace, agent_id, updated_at desc, session_id, key)`.execute(
    db
  )
  await sql`create index agent_memory_expiring on agent_memory (expires_at) where expires_at is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table agent_memory`.execute(db)
}
