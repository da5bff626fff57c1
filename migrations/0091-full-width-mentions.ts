import { type Kysely, sql } from 'kysely'

/** A full-width ＠, which Chinese and Japanese keyboards write, begins a mention too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_mentioning`.execute(db)
  await sql`create index messages_mentioning on messages (workspace, session_id, seq desc) where strpos(translate(content, '＠', '@'), '@') > 0`.execute(
    db
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_mentioning`.execute(db)
  await sql`create index messages_mentioning on messages (workspace, session_id, seq desc) where strpos(content, '@') > 0`.execute(
    db
  )
}
