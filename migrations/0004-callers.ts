import { type Kysely, sql } from 'kysely'

/**
 * What the service remembers about callers: tokens, MCP sessions, first answers to repeated requests, when an agent
 * last called.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table tokens (
      jti text collate "C" primary key,
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      agent_type text collate "C" not null,
      issued_at timestamptz(3) not null,
      expires_at timestamptz(3) not null,
      revoked_at timestamptz(3)
    )`.execute(db)
  await sql`create index tokens_by_agent on tokens (workspace, agent_id)`.execute(db)
  await sql`create index tokens_expiring on tokens (expires_at)`.execute(db)
  // What every replica reads twice a second to learn of revocations.
  await sql`create index tokens_revoked on tokens (revoked_at) where revoked_at is not null`.execute(db)

  await sql`
    create table mcp_sessions (
      id_hash bytea primary key,
      workspace text collate "C",
      protocol_version text not null,
      client_name text,
      agent_id text collate "C",
      agent_type text collate "C",
      permissions text[],
      token_jti text collate "C",
      token_expires_at timestamptz(3),
      subscriptions jsonb not null default '[]',
      created_at timestamptz(3) not null default clock_timestamp(),
      last_seen_at timestamptz(3) not null default clock_timestamp()
    ) with (fillfactor = 80)`.execute(db)
  await sql`create index mcp_sessions_idle on mcp_sessions (last_seen_at)`.execute(db)

  await sql`
    create table idempotency_keys (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      key text collate "C" not null,
      request_hash bytea not null,
      answer jsonb,
      created_at timestamptz(3) not null default clock_timestamp(),
      primary key (workspace, agent_id, key)
    )`.execute(db)
  await sql`create index idempotency_keys_expiring on idempotency_keys (created_at)`.execute(db)

  await sql`
    create table agents (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      agent_type text collate "C" not null,
      last_seen_at timestamptz(3) not null,
      primary key (workspace, agent_id)
    ) with (fillfactor = 80)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table agents, idempotency_keys, mcp_sessions, tokens`.execute(db)
}
