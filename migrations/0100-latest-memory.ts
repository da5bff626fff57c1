import { type Kysely, sql } from 'kysely'
import type { Preparation } from './preparation.js'

/**
 * The values last updated. In the order of time a new entry goes to the end of its agent's entries. In the index before,
 * which ran backwards, it went to their beginning, where each full page is split into halves.
 */
export const before: Preparation[] = [
  { index: 'agent_memory_by_update', table: 'agent_memory', as: '(workspace, agent_id, updated_at, session_id, key)' }
]

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index agent_memory_latest`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`create index agent_memory_latest on agent_memory (workspace, agent_id, updated_at desc, session_id, key)`.execute(
    db
  )
  await sql`drop index agent_memory_by_update`.execute(db)
}
