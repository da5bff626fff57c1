import { type Kysely, sql } from 'kysely'
import type { Preparation } from './preparation.js'

/** Names by which agents find a session that they have agreed on: whoever comes first makes it. */
export const before: Preparation[] = [
  { statement: 'alter table sessions add column if not exists key text collate "C"' },
  { index: 'sessions_by_key', table: 'sessions', unique: true, as: '(workspace, key) where key is not null' }
]

export async function up(): Promise<void> {}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions drop column key`.execute(db)
}
