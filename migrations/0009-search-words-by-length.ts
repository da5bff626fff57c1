import { type Kysely, sql } from 'kysely'

/**
 * Words by length and by how they begin and end, for those with typing errors (src/search/edits.ts). Length first:
 * most of a vocabulary is long identifiers, which end alike by the ten thousand. While it is built, for a few seconds,
 * no new word is indexed; searches of what was just written wait for that, and so do changes of visibility. Adding
 * messages does not.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index search_words_beginnings on search_words (workspace, length(word), word)`.execute(db)
  await sql`create index search_words_endings on search_words (workspace, length(word), reverse(word)) include (word)`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index search_words_beginnings, search_words_endings`.execute(db)
}
