import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { live, own, type StoredValue, valueColumns, valuesIn, type Where } from './entries.js'

/**
 * The values last updated, at most so many and of so many bytes together, for searching them.
 * @param where undefined: all of the agent's own; a namespace stands for those below it too
 */
export async function latest(
  db: Db,
  agent: Agent,
  where: Where | undefined,
  most: number,
  bytes_max: number
): Promise<{ entries: StoredValue[]; cut: boolean }> {
  const query = where === undefined ? own(db, agent) : valuesIn(db, agent.workspace, where, where.scope.startsWith('/'))
  const places = await query
    .select([
      'session_id',
      'key',
      sql<number>`sum(value_size) over (order by updated_at desc, session_id, key)`.as('up_to_here')
    ])
    .orderBy('updated_at', 'desc')
    .orderBy('session_id')
    .orderBy('key')
    .limit(most + 1)
    .execute()
  const taken = places.slice(0, most).filter(({ up_to_here }) => Number(up_to_here) <= bytes_max)
  const { rows } = await sql<StoredValue>`
    select ${valueColumns}
    from unnest(${taken.map(({ session_id }) => session_id)}::text[], ${taken.map(({ key }) => key)}::text[])
      as asked (session_id, key)
    -- Each by its key ("offset 0"): PostgreSQL would else read everything that the agent has.
    cross join lateral (select * from agent_memory of
      where of.workspace = ${agent.workspace} and of.agent_id = ${where?.owner ?? agent.agent_id}
        and of.session_id = asked.session_id and of.key = asked.key offset 0) agent_memory
    where ${live}`.execute(db)
  return { entries: rows, cut: taken.length < places.length }
}
