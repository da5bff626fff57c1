import { sql } from 'kysely'
import { callerName } from '../../kernel/names.js'
import type { Db } from '../../postgres/schema.js'

/**
 * The name for which an API key is made: that of a stored agent as it is spelt, every other composed.
 * @throws AppError INVALID_INPUT for unseen characters in a new name
 */
export async function nameForKey(db: Db, workspace: string, agent_id: string): Promise<string> {
  return callerName(workspace, agent_id, (of, name) => isStoredAgent(db, of, name), 'agent_id')
}

/** Whether an agent of exactly that name has called, has a value in its memory, or a token. */
export async function isStoredAgent(db: Db, workspace: string, agent_id: string): Promise<boolean> {
  const named = sql`workspace = ${workspace} and agent_id = ${agent_id}`
  const { rows } = await sql<{ is_stored: boolean }>`
    select exists (select from agents where ${named}) or exists (select from agent_memory where ${named})
      or exists (select from tokens where ${named} and agent_type <> '') as is_stored`.execute(db)
  return rows[0]?.is_stored ?? false
}
