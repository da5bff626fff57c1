import { type Kysely, sql } from 'kysely'

/** Names by which agents find a session that they have agreed on: whoever comes first makes it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column key text collate "C"`.execute(db)
  // No row has a key yet, so that this takes as long as it takes to read the table once.
  await sql`create unique index sessions_by_key on sessions (workspace, key) where key is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions drop column key`.execute(db)
}
