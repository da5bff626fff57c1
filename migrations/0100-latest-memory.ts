import { type Kysely, sql } from 'kysely'
import type { Preparation } from './preparation.js'

/**
 * The values last updated. A new entry goes to the end of its agent's entries. The index before ran backwards: there it
 * went to the front, where PostgreSQL splits each full page in halves. Read backwards, this one has the order of lists:
 * `updated_at desc, session_id, key`.
 */
export const before: Preparation[] = [
  {
    index: 'agent_memory_by_update',
    table: 'agent_memory',
    as: '(workspace, agent_id, updated_at, session_id desc, key desc)'
  }
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
