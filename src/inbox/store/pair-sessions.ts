import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Quotas } from '../../limits/quotas.js'
import { refuseManySessions } from '../../limits/store/usage.js'
import type { Db } from '../../postgres/schema.js'
import { newSessionId } from '../../sessions/store/session-creation.js'

/** No names: those who may not list the session learn none. */
const PURPOSE = 'Direct messages of two agents'

/**
 * The session that the agent and another one, or a type of agents, have for what they ask each other; made where there
 * is none. One that is closed is opened again.
 * @throws AppError QUOTA_EXCEEDED
 */
export async function pairSession(
  tx: Db,
  { workspace, agent_id }: Agent,
  other: string,
  quotas: Quotas
): Promise<{ session_id: string; made: boolean }> {
  const between = [...new Set([agent_id, other])].sort()
  const { rows } = await sql<{ id: string; made: boolean }>`
    insert into sessions (workspace, id, purpose, metadata, created_by, between_agents)
    values (${workspace}, ${newSessionId()}, ${PURPOSE}, '{}', ${agent_id}, ${between}::text[])
    on conflict (workspace, between_agents) where between_agents is not null
    do update set is_active = true, archived_at = null
    returning id, xmax = 0 as made`.execute(tx)
  const { id, made } = rows[0] as { id: string; made: boolean }
  if (made) await refuseManySessions(tx, workspace, quotas)
  return { session_id: id, made }
}

/** The session of those two, if it is there and open. */
export async function findPairSession(
  db: Db,
  { workspace, agent_id }: Agent,
  other: string
): Promise<string | undefined> {
  const between = [...new Set([agent_id, other])].sort()
  const { rows } = await sql<{ id: string }>`
    select id from sessions where workspace = ${workspace} and between_agents = ${between}::text[]
      and is_active`.execute(db)
  return rows[0]?.id
}
