import { type Kysely, sql } from 'kysely'

/**
 * Memory that agents share, versions from one sequence, and older versions of values.
 *
 * A namespace is a path such as `/team/plans/`, with the rights to all below it. A value in one lies in agent_memory:
 * its agent_id is the owner of the path's first part, who pays for it; its session_id is the path. No session's id
 * begins with a slash.
 *
 * `revision` is a value's version. `version` was it before, counted for each key, and stays it for values that nobody
 * has written since: to change its type would write the whole table anew. The sequence begins behind all of them, also
 * behind those that are written while this waits for the table. A program from before this counts `version` on and
 * knows no `revision`: a trigger gives what it writes one, or two different values would have the same version.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence memory_versions as bigint`.execute(db)
  // Before the table is locked: this reads all of it.
  await sql`select setval('memory_versions', coalesce((select max(version) + 100000 from agent_memory), 1), false)`.execute(
    db
  )
  await sql`
    alter table agent_memory
      add column revision bigint,
      add column updated_by text collate "C",
      add column expires_in integer`.execute(db)
  await sql`alter sequence memory_versions owned by agent_memory.revision`.execute(db)
  await sql`alter table agent_memory alter column revision set default nextval('memory_versions')`.execute(db)
  await sql`
    create function draw_memory_version() returns trigger language plpgsql set search_path from current as $$
    begin
      new.revision := nextval('memory_versions');
      new.updated_by := null;
      new.expires_in := null;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger memory_written_as_before before update on agent_memory for each row
    when (new.revision is not distinct from old.revision
      and (new.updated_at <> old.updated_at or new.version <> old.version))
    execute function draw_memory_version()`.execute(db)

  await sql`
    create table memory_namespaces (
      workspace text collate "C" not null default 'default',
      path text collate "C" not null,
      owner text collate "C" not null,
      readers text[] collate "C" not null default '{}',
      writers text[] collate "C" not null default '{}',
      created_at timestamptz(3) not null default clock_timestamp(),
      updated_at timestamptz(3) not null default clock_timestamp(),
      primary key (workspace, path)
    )`.execute(db)
  await sql`create index memory_namespaces_by_owner on memory_namespaces (workspace, owner)`.execute(db)

  // What the current value has replaced. A key that is not in agent_memory has no rows here.
  await sql`
    create table memory_history (
      workspace text collate "C" not null default 'default',
      agent_id text collate "C" not null,
      session_id text collate "C" not null default '',
      key text collate "C" not null,
      version bigint not null,
      value jsonb not null,
      value_size integer not null,
      changed_by text collate "C" not null,
      changed_at timestamptz(3) not null,
      primary key (workspace, agent_id, session_id, key, version)
    )`.execute(db)
  // What an owner wrote itself is found by the key, and is most of it.
  await sql`
    create index memory_history_by_author on memory_history (workspace, changed_by)
    where changed_by <> agent_id`.execute(db)

  // Triggers keep it, so that nothing that writes a value can forget to.
  await sql`
    create function keep_memory_history() returns trigger language plpgsql set search_path from current as $$
    begin
      if not exists (select from removed) then return null; end if;
      if tg_op = 'DELETE' then
        delete from memory_history h using removed r where h.workspace = r.workspace and h.agent_id = r.agent_id
          and h.session_id = r.session_id and h.key = r.key;
        return null;
      end if;
      delete from memory_history h using removed r where r.expires_at <= clock_timestamp()
        and h.workspace = r.workspace and h.agent_id = r.agent_id and h.session_id = r.session_id and h.key = r.key;
      insert into memory_history (workspace, agent_id, session_id, key, version, value, value_size, changed_by,
        changed_at)
      select r.workspace, r.agent_id, r.session_id, r.key, coalesce(r.revision, r.version), r.value, r.value_size,
        coalesce(r.updated_by, r.agent_id), r.updated_at
      from removed r join added a on a.workspace = r.workspace and a.agent_id = r.agent_id
        and a.session_id = r.session_id and a.key = r.key
      where a.revision is distinct from r.revision and (r.expires_at is null or r.expires_at > clock_timestamp());
      if found then
        -- Twenty versions with the current one.
        delete from memory_history h using removed r where h.workspace = r.workspace and h.agent_id = r.agent_id
          and h.session_id = r.session_id and h.key = r.key and h.version < (
            select o.version from memory_history o where o.workspace = r.workspace and o.agent_id = r.agent_id
              and o.session_id = r.session_id and o.key = r.key order by o.version desc offset 18 limit 1);
      end if;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger memory_replaced after update on agent_memory referencing old table as removed new table as added
    for each statement execute function keep_memory_history()`.execute(db)
  await sql`
    create trigger memory_ended after delete on agent_memory referencing old table as removed
    for each statement execute function keep_memory_history()`.execute(db)

  // Older versions count as bytes of whose memory it is, and a namespace as an entry of its owner.
  await sql`
    create function count_memory_history() returns trigger language plpgsql set search_path from current as $$
    begin
      insert into memory_usage as usage (workspace, agent_id, entries, bytes)
      select workspace, agent_id, 0,
        (case tg_op when 'INSERT' then 1 else -1 end) * sum(value_size::bigint + octet_length(key))
      from changed group by workspace, agent_id order by workspace, agent_id
      on conflict (workspace, agent_id) do update set bytes = usage.bytes + excluded.bytes;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger memory_history_added after insert on memory_history referencing new table as changed
    for each statement execute function count_memory_history()`.execute(db)
  await sql`
    create trigger memory_history_removed after delete on memory_history referencing old table as changed
    for each statement execute function count_memory_history()`.execute(db)
  await sql`
    create function count_namespaces() returns trigger language plpgsql set search_path from current as $$
    begin
      insert into memory_usage as usage (workspace, agent_id, entries, bytes)
      select of.workspace, of.agent_id, of.n, of.n * octet_length(of.path)
      from (values (new.workspace, new.owner, new.path, 1), (old.workspace, old.owner, old.path, -1))
        as of (workspace, agent_id, path, n)
      where of.agent_id is not null order by of.agent_id
      on conflict (workspace, agent_id) do update
        set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger namespaces_counted after insert or delete on memory_namespaces
    for each row execute function count_namespaces()`.execute(db)
  await sql`
    create trigger namespaces_given after update on memory_namespaces for each row
    when (new.owner <> old.owner) execute function count_namespaces()`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`delete from agent_memory where session_id >= '/' and session_id < '0'`.execute(db)
  await sql`drop trigger memory_written_as_before on agent_memory`.execute(db)
  await sql`drop trigger memory_replaced on agent_memory`.execute(db)
  await sql`drop trigger memory_ended on agent_memory`.execute(db)
  // What they held counted as memory.
  await sql`delete from memory_history`.execute(db)
  await sql`delete from memory_namespaces`.execute(db)
  await sql`drop table memory_history, memory_namespaces`.execute(db)
  await sql`drop function draw_memory_version, keep_memory_history, count_memory_history, count_namespaces`.execute(db)
  await sql`alter table agent_memory drop column revision, drop column updated_by, drop column expires_in`.execute(db)
}
