import { type Kysely, sql } from 'kysely'

/**
 * Keys of agents' own. The secret is not kept, only its SHA-256. A key is found by its id before anybody knows whose it
 * is, hence the one index that does not begin with the workspace. Tokens remember which one they were made from, and
 * MCP sessions what theirs is held within.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table api_keys (
      workspace text collate "C" not null default 'default',
      key_id text collate "C" not null,
      hash bytea not null,
      agent_id text collate "C" not null,
      agent_type text collate "C" not null,
      permissions text[] not null,
      sessions text[],
      created_at timestamptz(3) not null default clock_timestamp(),
      created_by text collate "C",
      created_with text collate "C",
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      primary key (workspace, key_id)
    )`.execute(db)
  await sql`create unique index api_keys_by_id on api_keys (key_id)`.execute(db)
  await sql`create index api_keys_newest on api_keys (workspace, created_at desc, key_id desc)`.execute(db)
  // What every replica reads twice a second to learn of revocations.
  await sql`create index api_keys_revoked on api_keys (revoked_at) where revoked_at is not null`.execute(db)

  await sql`alter table tokens add column parent_jti text collate "C"`.execute(db)
  await sql`create index tokens_by_parent on tokens (parent_jti) where parent_jti is not null`.execute(db)
  await sql`alter table mcp_sessions add column token_bounds jsonb`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table mcp_sessions drop column token_bounds`.execute(db)
  await sql`alter table tokens drop column parent_jti`.execute(db)
  await sql`drop table api_keys`.execute(db)
}
