import { type Kysely, sql } from 'kysely'

/**
 * The second wall between workspaces. Policies, and what the service's role may do, are made for every table after each
 * run of migrations (src/postgres/row-security.ts), so that a table of a later migration has them too. Here is what tables need for
 * it.
 *
 * Behind a policy PostgreSQL uses an index only for operators that are "leakproof"; those of GIN are not: `&&` on
 * terms, `like` and
 * `<%` by trigrams would read whole tables (measured, 20 000 rows: 40–300 times the time). So what is looked up by GIN
 * lies in tables without a policy that the service's role cannot touch, and is reached through views that hold the same
 * condition. A view is no barrier to somebody who writes SQL of their own, but a forgotten condition finds nothing in
 * it either.
 *
 * A table is renamed under its view, which has its name: nothing else has to know. While that happens nobody searches,
 * for an instant.
 */
const inReach = sql`workspace = (select current_setting('scs.workspace', true)) or (select current_setting('scs.workspace', true)) = '*'`

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const name of ['message_terms', 'search_words']) {
    await sql`alter table ${sql.table(name)} rename to ${sql.table(`${name}_rows`)}`.execute(db)
    await sql`create view ${sql.table(name)} as select * from ${sql.table(`${name}_rows`)} where ${inReach} with local check option`.execute(
      db
    )
  }

  // The purposes of sessions, for finding sessions by them. A trigger keeps them: whoever writes a session need not
  // know.
  await sql`
    create table session_purposes_rows (
      workspace text collate "C" not null default 'default',
      session_id text collate "C" not null,
      purpose text not null,
      primary key (workspace, session_id)
    )`.execute(db)
  await sql`insert into session_purposes_rows (workspace, session_id, purpose) select workspace, id, purpose from sessions`.execute(
    db
  )
  await sql`create index session_purposes_trigrams on session_purposes_rows using gin (purpose gin_trgm_ops)`.execute(
    db
  )
  await sql`create view session_purposes as select * from session_purposes_rows where ${inReach} with local check option`.execute(
    db
  )
  await sql`drop index sessions_purpose`.execute(db)
  await sql`
    create function keep_session_purpose () returns trigger language plpgsql security definer set search_path from current as $$
    begin
      if tg_op = 'DELETE' then
        delete from session_purposes_rows where workspace = old.workspace and session_id = old.id;
      elsif tg_op = 'INSERT' then
        insert into session_purposes_rows (workspace, session_id, purpose) values (new.workspace, new.id, new.purpose);
      elsif new.purpose is distinct from old.purpose then
        update session_purposes_rows set purpose = new.purpose where workspace = new.workspace and session_id = new.id;
      end if;
      return null;
    end $$`.execute(db)
  await sql`create trigger keep_purpose after insert or delete or update of purpose on sessions for each row execute function keep_session_purpose()`.execute(
    db
  )

  // Behind a policy PostgreSQL takes it that nearly every message is like '%@%', and an index of those for no help. Of
  // this form of the same it takes that a third is. (What the index had besides its key served nothing.)
  await sql`drop index messages_mentioning`.execute(db)
  await sql`create index messages_mentioning on messages (workspace, session_id, seq desc) where strpos(content, '@') > 0`.execute(
    db
  )

  // Only an index's owner may merge what GIN has put off, and the service is not.
  await sql`
    create function merge_put_off () returns void language sql security definer set search_path from current as $$
      select gin_clean_pending_list('message_terms_terms'), gin_clean_pending_list('search_words_trigrams'), gin_clean_pending_list('session_purposes_trigrams') $$`.execute(
    db
  )

  // Every key begins with the workspace. A token's is still looked up by its id alone, before anybody is known; an
  // audit row's id stays the key by itself, since the drainer walks along it through all workspaces, and a second index
  // would cost every write.
  await sql`alter table tokens drop constraint tokens_pkey, add primary key (workspace, jti)`.execute(db)
  await sql`create index tokens_by_id on tokens (jti)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    do $$ declare one record; begin
      for one in select polrelid::regclass as name from pg_policy where polname = 'own_workspace' and polrelid in (select oid from pg_class where relnamespace = current_schema()::regnamespace) loop
        execute format('drop policy own_workspace on %s', one.name);
        execute format('alter table %s no force row level security, disable row level security', one.name);
      end loop;
    end $$`.execute(db)
  await sql`drop index tokens_by_id`.execute(db)
  await sql`alter table tokens drop constraint tokens_pkey, add primary key (jti)`.execute(db)
  await sql`drop function merge_put_off`.execute(db)
  await sql`drop index messages_mentioning`.execute(db)
  await sql`create index messages_mentioning on messages (workspace, session_id, seq desc) include (sender, sender_type, visibility) where content like '%@%'`.execute(
    db
  )
  await sql`drop trigger keep_purpose on sessions`.execute(db)
  await sql`drop function keep_session_purpose`.execute(db)
  await sql`create index sessions_purpose on sessions using gin (purpose gin_trgm_ops)`.execute(db)
  await sql`drop view session_purposes`.execute(db)
  await sql`drop table session_purposes_rows`.execute(db)
  for (const name of ['message_terms', 'search_words']) {
    await sql`drop view ${sql.table(name)}`.execute(db)
    await sql`alter table ${sql.table(`${name}_rows`)} rename to ${sql.table(name)}`.execute(db)
  }
}
