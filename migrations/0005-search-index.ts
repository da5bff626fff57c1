import { type Kysely, sql } from 'kysely'

/**
 * What search looks things up in. Filled beside the writing, from `search_pending`, which every message enters in its
 * own statement: so what is not indexed yet is known exactly, whatever order transactions commit in.
 *
 * message_terms repeats what a search narrows by (session, sender, visibility, time), so that candidates are chosen
 * without touching the messages themselves.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table search_words (
      workspace text collate "C" not null default 'default',
      word text collate "C" not null,
      primary key (workspace, word)
    )`.execute(db)
  await sql`create index search_words_trigrams on search_words using gin (word gin_trgm_ops)`.execute(db)

  await sql`
    create table message_terms (
      workspace text collate "C" not null default 'default',
      message_id bigint not null,
      session_id text collate "C" not null,
      sender text collate "C" not null,
      sender_type text collate "C" not null,
      visibility text collate "C" not null,
      timestamp timestamptz(3) not null,
      -- Sorted distinct 32-bit hashes; a collision only adds a candidate, which the score then judges.
      terms int4[] not null,
      primary key (workspace, message_id)
    )`.execute(db)
  await sql`create index message_terms_newest on message_terms (workspace, session_id, message_id desc)`.execute(db)
  // A long pending list slows every search; at this size merging it takes milliseconds.
  await sql`create index message_terms_terms on message_terms using gin (terms) with (fastupdate = on, gin_pending_list_limit = 1024)`.execute(
    db
  )

  await sql`
    create table search_pending (
      workspace text collate "C" not null default 'default',
      session_id text collate "C" not null,
      message_id bigint not null,
      primary key (workspace, session_id, message_id)
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`.execute(db)
  await sql`insert into search_pending (workspace, session_id, message_id) select workspace, session_id, id from messages`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table search_pending, message_terms, search_words`.execute(db)
}
