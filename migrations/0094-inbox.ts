import { type Kysely, sql } from 'kysely'
import { type Preparation, statementOf, viewOf } from './preparation.js'

/**
 * Messages to somebody: addressees and a payload, whom each message reaches, and what became of it there.
 *
 * Nothing stops meanwhile. Columns are added without rewriting a table, and the checks hold for new rows alone.
 */
const WORDS = `'public', 'private', 'agent_only', 'admin_only'`

const allowVisibilities = (words: string) => `drop constraint if exists messages_visibility_check,
  add constraint messages_visibility_check check (visibility in (${words})) not valid`

export const before: Preparation[] = [
  // The payload as it was sent: text, not the database's own form.
  {
    statement: `alter table messages add column if not exists addressees text[] collate "C" not null default '{}',
      add column if not exists payload json, ${allowVisibilities(`${WORDS}, 'direct'`)}`
  },
  // Of a deleted message, by which it is told who could see it.
  { statement: 'alter table session_changes add column if not exists addressees text[] collate "C"' },
  {
    statement: `alter table message_terms_rows
      add column if not exists addressees text[] collate "C" not null default '{}'`
  },
  viewOf('message_terms'),
  // The session that two agents have for what they ask each other: their names, sorted.
  { statement: 'alter table sessions add column if not exists between_agents text[] collate "C"' },
  {
    index: 'sessions_between',
    table: 'sessions',
    unique: true,
    as: '(workspace, between_agents) where between_agents is not null'
  },
  {
    statement: `alter table agents add column if not exists status text,
      add column if not exists status_expires_at timestamptz(3)`
  },
  { index: 'agents_by_type', table: 'agents', as: '(workspace, agent_type)' }
]

export async function up(db: Kysely<unknown>): Promise<void> {
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
  await sql.raw(statementOf(viewOf('message_terms'))).execute(db)
  await sql`alter table session_changes drop column addressees`.execute(db)
  // Only an admin sees what was for some alone, and not for any of the other words.
  await sql`update messages set visibility = 'admin_only' where visibility = 'direct'`.execute(db)
  await sql`update message_terms_rows set visibility = 'admin_only' where visibility = 'direct'`.execute(db)
  await sql
    .raw(`alter table messages drop column addressees, drop column payload, ${allowVisibilities(WORDS)}`)
    .execute(db)
}
