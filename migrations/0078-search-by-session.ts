import { type Kysely, sql } from 'kysely'
import { type Preparation, statementOf, viewOf } from './preparation.js'

/**
 * Terms that belong to a session, beside those of the whole workspace: what a word costs a search in a session then does
 * not depend on other sessions. And the term of each word of the vocabulary, by which PostgreSQL itself sees whether a
 * viewer may see a message that has the word.
 *
 * Nothing stops meanwhile. Columns are added without rewriting a table, and both indexes are built while searches read
 * the table: one is empty, and the other holds every row from before. Those have no `words`: search looks them up by
 * `terms`, as before, until the worker has made them anew. A program from before this leaves `words` null, or as they
 * are; it finds what a newer one has indexed by `terms`. So replicas may be replaced one after the other.
 *
 * `terms` has no pairs of words any more, and it serves searches across sessions: its index stays.
 */
export const before: Preparation[] = [
  {
    statement: `alter table message_terms_rows
      add column if not exists seq bigint, add column if not exists words int4[]`
  },
  {
    index: 'message_terms_words',
    table: 'message_terms_rows',
    as: 'using gin (words) with (fastupdate = on, gin_pending_list_limit = 1024) where words is not null'
  },
  {
    index: 'message_terms_old',
    table: 'message_terms_rows',
    as: '(workspace, session_id, message_id) where words is null'
  },
  viewOf('message_terms'),
  { statement: 'alter table search_words_rows add column if not exists term int4' },
  viewOf('search_words')
]

export async function up(db: Kysely<unknown>): Promise<void> {
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
    await sql.raw(statementOf(viewOf(name))).execute(db)
  }
}
