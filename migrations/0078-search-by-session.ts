import { type Kysely, sql } from 'kysely'

/**
 * Terms that belong to a session, beside those of the whole workspace: what a word costs a search in a session then does
 * not depend on other sessions. And the term of each word of the vocabulary, by which PostgreSQL itself sees whether a
 * viewer may see a message that has the word.
 *
 * Nothing stops meanwhile. Columns are added without rewriting a table, and both indexes are empty, or read the table
 * once; whoever writes messages does not wait for that. Rows from before have no `words`: search looks them up by
 * `terms`, as before, until the worker has made them anew. A program from before this leaves `words` null, or as they
 * are; it finds what a newer one has indexed by `terms`. So replicas may be replaced one after the other.
 *
 * `terms` has no pairs of words any more, and it serves searches across sessions: its index stays.
 */
const inReach = sql`workspace = (select current_setting('scs.workspace', true)) or (select current_setting('scs.workspace', true)) = '*'`

async function viewOf(db: Kysely<unknown>, name: string): Promise<void> {
  await sql`create or replace view ${sql.table(name)} as select * from ${sql.table(`${name}_rows`)} where ${inReach}
    with local check option`.execute(db)
}

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table message_terms_rows add column seq bigint, add column words int4[]`.execute(db)
  await sql`create index message_terms_words on message_terms_rows using gin (words)
    with (fastupdate = on, gin_pending_list_limit = 1024) where words is not null`.execute(db)
  await sql`create index message_terms_old on message_terms_rows (workspace, session_id, message_id)
    where words is null`.execute(db)
  await viewOf(db, 'message_terms')
  await sql`alter table search_words_rows add column term int4`.execute(db)
  await viewOf(db, 'search_words')
  await sql`
    create or replace function merge_put_off () returns void language sql security definer set search_path from current as $$
      select gin_clean_pending_list('message_terms_terms'), gin_clean_pending_list('message_terms_words'),
        gin_clean_pending_list('search_words_trigrams'), gin_clean_pending_list('session_purposes_trigrams') $$`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function merge_put_off () returns void language sql security definer set search_path from current as $$
      select gin_clean_pending_list('message_terms_terms'), gin_clean_pending_list('search_words_trigrams'),
        gin_clean_pending_list('session_purposes_trigrams') $$`.execute(db)
  for (const [name, columns] of [
    ['message_terms', ['seq', 'words']],
    ['search_words', ['term']]
  ] as const) {
    await sql`drop view ${sql.table(name)}`.execute(db)
    for (const column of columns)
      await sql`alter table ${sql.table(`${name}_rows`)} drop column ${sql.ref(column)}`.execute(db)
    await viewOf(db, name)
  }
}
