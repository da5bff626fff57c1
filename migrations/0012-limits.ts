import { type Kysely, sql } from 'kysely'

/**
 * What limits are measured by.
 *
 * rate_limits: what has been let through of each minute that is being counted (src/limits/store/rate-limits.ts). Addresses belong
 * to no workspace: theirs is ''. Unlogged: taking costs no flush of the log to disk. A crash of PostgreSQL empties the
 * table, and every count begins anew.
 *
 * workspace_usage and memory_usage: how many sessions a workspace has, and how much an agent remembers. Counted by
 * triggers, in the transaction that changes it, so that nothing that adds or removes rows can forget to. Making those
 * triggers waits for writers, and keeps them waiting until what is there has been counted.
 *
 * sessions.content_bytes: what has been written into a session from now on; deleting takes nothing off.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create unlogged table rate_limits (
      workspace text collate "C" not null default 'default',
      kind text collate "C" not null,
      subject text collate "C" not null,
      ends_at timestamptz not null,
      taken bigint not null,
      -- How much the last replica that asked was given.
      given bigint not null,
      primary key (workspace, kind, subject)
    ) with (fillfactor = 50)`.execute(db)

  await sql`alter table sessions add column content_bytes bigint not null default 0`.execute(db)

  await sql`
    create table workspace_usage (
      workspace text collate "C" not null default 'default',
      sessions bigint not null,
      primary key (workspace)
    ) with (fillfactor = 50)`.execute(db)
  await sql`
    create function count_sessions() returns trigger language plpgsql as $$
    begin
      insert into workspace_usage as usage (workspace, sessions)
      select workspace, (case tg_op when 'INSERT' then 1 else -1 end) * count(*) from changed group by workspace order by workspace
      on conflict (workspace) do update set sessions = usage.sessions + excluded.sessions;
      return null;
    end $$`.execute(db)
  await sql`create trigger sessions_added after insert on sessions referencing new table as changed for each statement execute function count_sessions()`.execute(
    db
  )
  await sql`create trigger sessions_removed after delete on sessions referencing old table as changed for each statement execute function count_sessions()`.execute(
    db
  )
  await sql`insert into workspace_usage (workspace, sessions) select workspace, count(*) from sessions group by workspace`.execute(
    db
  )

  await sql`
    create table memory_usage (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      entries bigint not null,
      bytes bigint not null,
      primary key (workspace, agent_id)
    ) with (fillfactor = 50)`.execute(db)
  await sql`
    create function memory_bytes(value_size integer, key text, metadata jsonb) returns bigint language sql immutable as $$
      select value_size::bigint + octet_length(key) + octet_length(metadata::text)
    $$`.execute(db)
  // An update that changes no size leaves the agent's row alone.
  await sql`
    create function count_memory() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into memory_usage as usage (workspace, agent_id, entries, bytes)
        select workspace, agent_id, count(*), sum(memory_bytes(value_size, key, metadata)) from added group by workspace, agent_id order by workspace, agent_id
        on conflict (workspace, agent_id) do update set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
      elsif tg_op = 'DELETE' then
        insert into memory_usage as usage (workspace, agent_id, entries, bytes)
        select workspace, agent_id, -count(*), -sum(memory_bytes(value_size, key, metadata)) from removed group by workspace, agent_id order by workspace, agent_id
        on conflict (workspace, agent_id) do update set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
      else
        insert into memory_usage as usage (workspace, agent_id, entries, bytes)
        select workspace, agent_id, sum(n), sum(size) from (
          select workspace, agent_id, 1 as n, memory_bytes(value_size, key, metadata) as size from added
          union all select workspace, agent_id, -1, -memory_bytes(value_size, key, metadata) from removed
        ) change group by workspace, agent_id having sum(n) <> 0 or sum(size) <> 0 order by workspace, agent_id
        on conflict (workspace, agent_id) do update set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
      end if;
      return null;
    end $$`.execute(db)
  await sql`create trigger memory_added after insert on agent_memory referencing new table as added for each statement execute function count_memory()`.execute(
    db
  )
  await sql`create trigger memory_changed after update on agent_memory referencing old table as removed new table as added for each statement execute function count_memory()`.execute(
    db
  )
  await sql`create trigger memory_removed after delete on agent_memory referencing old table as removed for each statement execute function count_memory()`.execute(
    db
  )
  await sql`
    insert into memory_usage (workspace, agent_id, entries, bytes)
    select workspace, agent_id, count(*), sum(memory_bytes(value_size, key, metadata)) from agent_memory group by workspace, agent_id`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop trigger memory_added on agent_memory`.execute(db)
  await sql`drop trigger memory_changed on agent_memory`.execute(db)
  await sql`drop trigger memory_removed on agent_memory`.execute(db)
  await sql`drop trigger sessions_added on sessions`.execute(db)
  await sql`drop trigger sessions_removed on sessions`.execute(db)
  await sql`drop function count_memory, count_sessions, memory_bytes`.execute(db)
  await sql`drop table memory_usage, workspace_usage, rate_limits`.execute(db)
  await sql`alter table sessions drop column content_bytes`.execute(db)
}
