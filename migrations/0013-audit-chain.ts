import { type Kysely, sql } from 'kysely'

/** What proves the audit log: beside it, so that no row of it is ever touched again (src/db/audit-chain/). */
const tables = ['audit_log', 'audit_chain', 'audit_heads', 'audit_beginnings']

export async function up(db: Kysely<unknown>): Promise<void> {
  // Each row's place in its workspace's chain, given by the drainer; mac covers the row, seq and the mac before it.
  await sql`
    create table audit_chain (
      workspace text collate "C" not null default 'default',
      seq bigint not null,
      audit_id bigint not null,
      key_id text collate "C" not null,
      mac bytea not null,
      primary key (workspace, seq),
      unique (workspace, audit_id)
    )`.execute(db)
  // Where a chain was at a time, signed. drained_to: every row up to this id that was ever committed, of any workspace,
  // was chained.
  await sql`
    create table audit_heads (
      workspace text collate "C" not null default 'default',
      seq bigint not null,
      mac bytea not null,
      drained_to bigint not null,
      signed_at timestamptz(3) not null,
      key_id text collate "C" not null,
      signature bytea not null,
      primary key (workspace, seq)
    )`.execute(db)
  await sql`create index audit_heads_newest on audit_heads (drained_to)`.execute(db)
  // Heads that retention has made the new beginning of a chain, signed as such.
  await sql`
    create table audit_beginnings (
      workspace text collate "C" not null default 'default',
      seq bigint not null,
      mac bytea not null,
      begun_at timestamptz(3) not null,
      key_id text collate "C" not null,
      signature bytea not null,
      primary key (workspace, seq)
    )`.execute(db)

  // For the owner too, so that no forgotten or injected statement does it; an owner who means to can take the trigger
  // away, and then the chain tells.
  await sql`
    create function refuse_audit_change() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and current_setting('shared_context.dropping_audit', true) = 'on'
         and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        return null;
      end if;
      raise exception 'rows of % are never changed', tg_table_name using errcode = 'insufficient_privilege';
    end $$`.execute(db)
  for (const table of tables) {
    await sql`
      create trigger append_only before update or delete or truncate on ${sql.table(table)}
        for each statement execute function refuse_audit_change()`.execute(db)
  }

  // The one way in which rows go: the oldest of a chain, up to a head that has been made the beginning. It runs as the
  // owner.
  await sql`
    create function drop_audit_rows(of_workspace text, up_to bigint, at_most int) returns int
      language plpgsql security definer set search_path from current as $$
    declare
      dropped int;
    begin
      if not exists (select from audit_beginnings where workspace = of_workspace and seq >= up_to) then
        raise exception 'the chain does not begin there' using errcode = 'object_not_in_prerequisite_state';
      end if;
      -- Not as a setting of the function: only a superuser may give a function one of a name that the server does not know.
      perform set_config('shared_context.dropping_audit', 'on', true);
      with gone as (
        delete from audit_chain where workspace = of_workspace and seq in (
          select seq from audit_chain where workspace = of_workspace and seq <= up_to order by seq limit at_most)
        returning audit_id
      )
      delete from audit_log where id in (select audit_id from gone);
      get diagnostics dropped = row_count;
      delete from audit_heads where workspace = of_workspace and seq < up_to
        and not exists (select from audit_chain c where c.workspace = of_workspace and c.seq <= up_to);
      perform set_config('shared_context.dropping_audit', '', true);
      return dropped;
    end $$`.execute(db)
  await sql`revoke all on function drop_audit_rows(text, bigint, int) from public`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop function drop_audit_rows(text, bigint, int)`.execute(db)
  await sql`drop trigger append_only on audit_log`.execute(db)
  await sql`drop table audit_chain, audit_heads, audit_beginnings`.execute(db)
  await sql`drop function refuse_audit_change()`.execute(db)
}
