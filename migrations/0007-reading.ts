import { type Kysely, sql } from 'kysely'

/** How far each agent has read a session, who has lately called in one, and where messages may mention somebody. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table read_cursors (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      session_id text collate "C" not null,
      last_read_seq bigint not null,
      updated_at timestamptz(3) not null default clock_timestamp(),
      primary key (workspace, agent_id, session_id)
    ) with (fillfactor = 80)`.execute(db)

  // A few minutes of calls, then swept: small enough to be swept by looking through it, so that no index keeps an
  // update from staying on its page.
  await sql`
    create table session_presence (
      workspace text collate "C" not null default 'default',
      session_id text collate "C" not null,
      agent_id text collate "C" not null,
      agent_type text collate "C" not null,
      last_seen_at timestamptz(3) not null,
      primary key (workspace, session_id, agent_id)
    ) with (fillfactor = 80)`.execute(db)

  // Whoever counts mentions reads the contents of these alone, and needs no other to know whose they are and who may
  // see them.
  await sql`
    create index messages_mentioning on messages (workspace, session_id, seq desc) include (sender, sender_type, visibility)
    where content like '%@%'`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_mentioning`.execute(db)
  await sql`drop table session_presence, read_cursors`.execute(db)
}
