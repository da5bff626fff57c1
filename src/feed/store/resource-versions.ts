import { sql } from 'kysely'
import { type Agent, mayEnter } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { acrossWorkspaces, type Unscoped } from '../../postgres/scope.js'
import { need } from '../../sessions/store/sessions.js'

/** Versions of what MCP clients can subscribe to: a version differs from an earlier one where there is something new. */

/** The highest seq given in a session. @throws AppError SESSION_NOT_FOUND */
export async function sessionVersion(db: Db, agent: Agent, session_id: string): Promise<number> {
  return (await need(db, agent, session_id)).last_seq
}

/** Of several sessions in one statement; one that is not there, or not the agent's to see, has none. */
export async function sessionVersions(db: Db, agent: Agent, session_ids: string[]): Promise<Map<string, number>> {
  const ids = session_ids.filter(id => mayEnter(agent, id))
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'last_seq'])
    .where('workspace', '=', agent.workspace)
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
  return new Map(rows.map(row => [row.id, row.last_seq]))
}

/** Of several agents' memories in one statement; by `[workspace, agent_id]` as JSON. An agent without any has none. */
export async function memoryVersions(
  db: Db,
  agents: ReadonlyArray<Pick<Agent, 'workspace' | 'agent_id'>>
): Promise<Map<string, string>> {
  const { rows } = await sql<{ workspace: string; agent_id: string; version: string }>`
    select workspace, agent_id, count(*) || ' ' || max(updated_at) as version from agent_memory
    where (workspace, agent_id) in (select * from unnest(${agents.map(agent => agent.workspace)}::text[], ${agents.map(agent => agent.agent_id)}::text[]))
      and (expires_at is null or expires_at > clock_timestamp())
    group by workspace, agent_id`.execute(db)
  return new Map(rows.map(row => [memoryOf(row), row.version]))
}

/** The same for agents of any workspaces. */
export async function memoryVersionsAcross(
  database: Unscoped,
  agents: ReadonlyArray<Pick<Agent, 'workspace' | 'agent_id'>>
): Promise<Map<string, string>> {
  return memoryVersions(acrossWorkspaces(database), agents)
}

export function memoryOf({ workspace, agent_id }: Pick<Agent, 'workspace' | 'agent_id'>): string {
  return JSON.stringify([workspace, agent_id])
}
