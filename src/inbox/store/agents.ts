import { type RawBuilder, sql } from 'kysely'
import { type Agent } from '../../kernel/agent.js'
import { likePattern } from '../../postgres/like.js'
import type { Db } from '../../postgres/schema.js'
import { readableMessages } from '../../visibility/visibility.js'
import { INBOX_MAX, type ListedAgent } from '../inbox-shapes.js'

export interface AgentFilter {
  query?: string
  agent_type?: string
  active_within_seconds?: number
  limit: number
  /** Only agents behind this one, by agent_id. */
  after?: string
}

/**
 * The agents of the viewer's workspace that have called, by agent_id: at most `limit + 1`, where the extra one shows
 * that there are more. A viewer that is limited to sessions is shown those that have lately been in one of these.
 */
export async function listAgents(db: Db, viewer: Agent, filter: AgentFilter): Promise<ListedAgent[]> {
  const { query, agent_type, active_within_seconds, limit, after } = filter
  const conditions: Array<RawBuilder<boolean>> = [sql<boolean>`a.workspace = ${viewer.workspace}`]
  if (query !== undefined)
    conditions.push(
      sql<boolean>`(a.agent_id ilike ${likePattern(query)}
        or (a.status ilike ${likePattern(query)} and a.status_expires_at > clock_timestamp()))`
    )
  if (agent_type !== undefined) conditions.push(sql<boolean>`a.agent_type = ${agent_type}`)
  if (active_within_seconds !== undefined)
    conditions.push(sql<boolean>`a.last_seen_at > clock_timestamp() - make_interval(secs => ${active_within_seconds})`)
  if (after !== undefined) conditions.push(sql<boolean>`a.agent_id > ${after}`)
  if (viewer.sessions !== undefined)
    conditions.push(sql<boolean>`(a.agent_id = ${viewer.agent_id} or exists (select from session_presence p
      where p.workspace = a.workspace and p.session_id = any(${viewer.sessions}::text[]) and p.agent_id = a.agent_id))`)
  const message = readableMessages(db, viewer)
    .where('m.id', '=', sql<number>`e.message_id`)
    .where('m.sender', '<>', sql<string>`listed.agent_id`)
    .select('m.id')
  const entries = sql`
    select from inbox e
    where e.workspace = ${viewer.workspace}
      and e.name in (listed.agent_id, 'type:' || listed.agent_type)
      -- "|| ''" as in inbox-pages.ts.
      and not exists (select from receipts r where r.workspace = e.workspace and r.message_id = e.message_id
        and r.agent_id || '' = listed.agent_id and r.acked_at is not null)
      and exists (${message})
      and exists (select from sessions s where s.workspace = e.workspace and s.id = e.session_id)
    limit ${sql.lit(INBOX_MAX)}`
  const { rows } = await sql<ListedAgent>`
    with listed as materialized (
      select a.agent_id, a.agent_type, a.last_seen_at,
        case when a.status_expires_at > clock_timestamp() then a.status end as status
      from agents a where ${sql.join(conditions, sql` and `)} order by a.agent_id limit ${limit + 1})
    select listed.agent_id, listed.agent_type, listed.last_seen_at, listed.status,
      exists (select from agent_waits w where w.workspace = ${viewer.workspace} and w.agent_id = listed.agent_id
        and w.until > clock_timestamp()) as waiting,
      (select count(*)::int from (${entries}) unacknowledged) as inbox
    from listed order by listed.agent_id`.execute(db)
  return rows
}

/** Sets what an agent says of itself, for so many seconds. @returns when it ends */
export async function setStatus(
  tx: Db,
  { workspace, agent_id, agent_type }: Agent,
  status: string,
  expires_in: number
): Promise<string> {
  const ends = sql`clock_timestamp() + make_interval(secs => ${expires_in})`
  const { rows } = await sql<{ status_expires_at: string }>`
    insert into agents as a (workspace, agent_id, agent_type, last_seen_at, status, status_expires_at)
    values (${workspace}, ${agent_id}, ${agent_type}, clock_timestamp(), nullif(${status}::text, ''), ${ends})
    on conflict (workspace, agent_id) do update
      set status = excluded.status, status_expires_at = excluded.status_expires_at
    returning a.status_expires_at`.execute(tx)
  return (rows[0] as { status_expires_at: string }).status_expires_at
}
