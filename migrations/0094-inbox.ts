import { type Kysely, sql } from 'kysely'

/**
 * Messages to somebody: addressees and a payload, whom each message reaches, and what became of it there.
 *
 * Nothing stops meanwhile. Columns are added without rewriting a table, the checks hold for new rows alone, and all
 * indexes but one are those of new tables. The one of agents takes as long as reading that table, which is small.
 */
const inReach = sql`workspace = (select current_setting('scs.workspace', true)) or (select current_setting('scs.workspace', true)) = '*'`

const WORDS = `'public', 'private', 'agent_only', 'admin_only'`

async function termsView(db: Kysely<unknown>): Promise<void> {
  await sql`create or replace view message_terms as select * from message_terms_rows where ${inReach}
    with local check option`.execute(db)
}

async function allowVisibilities(db: Kysely<unknown>, words: string): Promise<void> {
  await sql`
    alter table messages
      drop constraint messages_visibility_check,
      add constraint messages_visibility_check check (visibility in (${sql.raw(words)})) not valid`.execute(db)
}

export async function up(db: Kysely<unknown>): Promise<void> {
  // In the order in which writers take them, or each would wait for what the other has.
  await sql`lock table sessions, messages, session_changes, message_terms_rows, agents in access exclusive mode`.execute(
    db
  )
  // As it was sent: text, not the database's own form.
  await sql`
    alter table messages
      add column addressees text[] collate "C" not null default '{}',
      add column payload json`.execute(db)
  await allowVisibilities(db, `${WORDS}, 'direct'`)
  // Of a deleted message, by which it is told who could see it.
  await sql`alter table session_changes add column addressees text[] collate "C"`.execute(db)
  await sql`alter table message_terms_rows add column addressees text[] collate "C" not null default '{}'`.execute(db)
  await termsView(db)

  // The session that two agents have for what they ask each other: their names, sorted.
  await sql`alter table sessions add column between_agents text[] collate "C"`.execute(db)
  await sql`create unique index sessions_between on sessions (workspace, between_agents)
    where between_agents is not null`.execute(db)

  await sql`
    create table inbox (
      workspace text collate "C" not null default 'default',
      message_id bigint not null,
      -- An agent_id, or type: and an agent_type: whom the message is addressed to, or mentions.
      name text collate "C" not null,
      session_id text collate "C" not null,
      seq bigint not null,
      -- Of the message, for counting the direct ones that an agent has sent.
      sender text collate "C" not null,
      -- Whether the message is direct now.
      direct boolean not null,
      primary key (workspace, message_id, name)
    )`.execute(db)
  await sql`create index inbox_by_name on inbox (workspace, name, message_id desc)`.execute(db)
  await sql`create index inbox_of_session on inbox (workspace, session_id, name, seq desc) include (direct)`.execute(db)
  await sql`create index inbox_of_sender on inbox (workspace, session_id, sender, seq desc) where direct`.execute(db)

  await sql`
    create table receipts (
      workspace text collate "C" not null default 'default',
      message_id bigint not null,
      agent_id text collate "C" not null,
      delivered_at timestamptz(3),
      read_at timestamptz(3),
      acked_at timestamptz(3),
      note text,
      updated_at timestamptz(3) not null default clock_timestamp(),
      primary key (workspace, message_id, agent_id)
    )`.execute(db)
  await sql`create index receipts_by_agent on receipts (workspace, agent_id)`.execute(db)

  await sql`alter table agents add column status text, add column status_expires_at timestamptz(3)`.execute(db)
  await sql`create index agents_by_type on agents (workspace, agent_type)`.execute(db)
  await sql`
    create table agent_waits (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      replica text collate "C" not null,
      until timestamptz(3) not null,
      primary key (workspace, agent_id, replica)
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table agent_waits, receipts, inbox`.execute(db)
  await sql`drop index agents_by_type, sessions_between`.execute(db)
  await sql`alter table agents drop column status, drop column status_expires_at`.execute(db)
  await sql`alter table sessions drop column between_agents`.execute(db)
  await sql`drop view message_terms`.execute(db)
  await sql`alter table message_terms_rows drop column addressees`.execute(db)
  await termsView(db)
  await sql`alter table session_changes drop column addressees`.execute(db)
  // Only an admin sees what was for some alone, and not for any of the other words.
  await sql`update messages set visibility = 'admin_only' where visibility = 'direct'`.execute(db)
  await sql`update message_terms_rows set visibility = 'admin_only' where visibility = 'direct'`.execute(db)
  await allowVisibilities(db, WORDS)
  await sql`alter table messages drop column addressees, drop column payload`.execute(db)
}
