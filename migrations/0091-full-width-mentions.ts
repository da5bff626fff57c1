import { type Kysely, sql } from 'kysely'
import type { Preparation } from './preparation.js'

/**
 * A full-width ＠, which Chinese and Japanese keyboards write, begins a mention too. The index is built beside the old
 * one, so that nobody waits: reading all messages takes long.
 */
export const before: Preparation[] = [
  {
    index: 'messages_mentioning_wide',
    table: 'messages',
    as: "(workspace, session_id, seq desc) where strpos(translate(content, '＠', '@'), '@') > 0"
  }
]

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_mentioning`.execute(db)
  await sql`alter index messages_mentioning_wide rename to messages_mentioning`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index messages_mentioning`.execute(db)
  await sql`create index messages_mentioning on messages (workspace, session_id, seq desc) where strpos(content, '@') > 0`.execute(
    db
  )
}
