import { type Kysely, sql } from 'kysely'

/**
 * What the terms of the search index are hashed with, and the index anew. Until here they were hashed without a secret,
 * so that anybody could make words that collide: then a word more in the index is not "only a candidate, which the
 * score then judges", as 0005 has it, but also changes what is cut off and which misspellings are looked for, by a
 * message that the searcher may not see.
 *
 * Nobody waits but for the moment of emptying: what there is is put on the list first, while others write, search and
 * index; then the index is emptied, which waits for those who are using it; and what they took off the list meanwhile
 * is put there again. (One statement after emptying would do, but searches would wait for it, about 5 s for a million
 * messages.) The index itself is filled in the background, as ever.
 *
 * A program from before this, if one still ran, would go on hashing without the secret, and what it indexed would be
 * found by nobody: replicas are stopped before migrating, as they have to be for 0015.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table search_secret (
      one boolean not null default true primary key check (one),
      secret bytea not null check (octet_length(secret) = 32)
    )`.execute(db)
  // Of two of them 244 bits are random, from PostgreSQL's strong source.
  await sql`insert into search_secret (secret) select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))`.execute(
    db
  )
  await indexAnew(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await indexAnew(db)
  await sql`drop table search_secret`.execute(db)
}

async function indexAnew(db: Kysely<unknown>): Promise<void> {
  const list = sql`
    insert into search_pending (workspace, session_id, message_id) select workspace, session_id, id from messages m
    where not exists (select from search_pending p where p.workspace = m.workspace and p.session_id = m.session_id and p.message_id = m.id)
    on conflict do nothing`
  await list.execute(db)
  await sql`truncate message_terms_rows`.execute(db)
  await list.execute(db)
}
