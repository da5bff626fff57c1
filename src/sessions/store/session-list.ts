import { sql } from 'kysely'
import { addressesOf } from '../../kernel/addresses.js'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { holdsText, resemblesText } from '../../postgres/letters.js'
import type { Db } from '../../postgres/schema.js'
import { plannedEachTime } from '../../postgres/statements.js'
import { withinSessions } from '../../visibility/visibility.js'
import { sessionColumns } from './sessions.js'

/** Numbers of a query that a purpose must have; each is a condition more. */
const NUMBERS_MAX = 10

export interface SessionFilter {
  created_by?: string
  active?: boolean
  archived: boolean
  query?: string
  metadata_filter?: Record<string, unknown>
  limit: number
  after?: { created_at: string; id: string }
}

/** Lists sessions newest first: at most `limit + 1`, where the extra one shows that there are more. */
export async function listSessions(db: Db, agent: Agent, filter: SessionFilter) {
  let query = db
    .selectFrom('sessions')
    .select([...sessionColumns, 'public_count', 'last_seq'])
    .where('workspace', '=', agent.workspace)
    .where('archived_at', filter.archived ? 'is not' : 'is', null)
  if (agent.sessions !== undefined) query = query.where(withinSessions(agent.sessions, 'id'))
  if (!isAdmin(agent))
    query = query.where(sql<boolean>`(between_agents is null or between_agents && ${addressesOf(agent)}::text[])`)
  if (filter.created_by !== undefined) query = query.where('created_by', '=', filter.created_by)
  if (filter.active !== undefined) query = query.where('is_active', '=', filter.active)
  if (filter.metadata_filter !== undefined)
    query = query.where(sql<boolean>`metadata @> ${JSON.stringify(filter.metadata_filter)}::jsonb`)
  if (filter.query !== undefined) {
    // Similar to some part of the purpose: letters may be mistyped, numbers are as given.
    const numbers = filter.query.match(/[0-9]+/g)?.slice(0, NUMBERS_MAX) ?? []
    const resembles = sql.join(
      [
        resemblesText(sql`p.purpose`, filter.query),
        ...numbers.map(number => sql`p.purpose ~ ${`(^|[^0-9])${number}([^0-9]|$)`}`)
      ],
      sql` and `
    )
    query = query.where(sql<boolean>`exists (
      select from session_purposes p where p.workspace = sessions.workspace and p.session_id = sessions.id
        and p.workspace = ${agent.workspace}
        and (${holdsText(sql`p.purpose`, filter.query)} or (${resembles})
          or p.session_id = ${filter.query}))`)
  }
  if (filter.after !== undefined)
    query = query.where(sql<boolean>`(created_at, id) < (${filter.after.created_at}::timestamptz, ${filter.after.id})`)
  query = query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
  return filter.query === undefined ? query.execute() : (await plannedEachTime(db, query)).rows
}
