import { sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import { messageColumns } from '../messages.js'
import type { Db } from '../schema.js'
import { PLANNED_EACH_TIME } from '../statement-name.js'
import { searched, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import type { Found } from './scored.js'
import { type Candidate, firstOf, inAll, isExact, READ_MAX, TEXT_MAX, wholeText } from './texts.js'

/** Messages still to be indexed that one search looks at; the newest, where there are more. */
const LOOKED_AT = 3000
/** Of these, the ones that are scored. */
const SCORED_MAX = 100

/**
 * While a great many messages wait for the index (after a migration, or a long time without a worker), the newest of them
 * are looked at one by one. What is beyond is found when it is indexed, and the answer says that it is partial.
 */
export async function unindexed (db: Db, viewer: Agent, query: Query, filter: SearchFilter): Promise<Found> {
  const waiting = searched(db, viewer, filter)
    .innerJoin('search_pending as p', join => join.onRef('p.workspace', '=', 'm.workspace').onRef('p.session_id', '=', 'm.session_id').onRef('p.message_id', '=', 'm.id'))
    .select(messageColumns).orderBy('m.id', 'desc').limit(LOOKED_AT + 1)
  const { rows } = await sql<Candidate & { looked_at: number, bytes: number }>`${PLANNED_EACH_TIME}
    with waiting as materialized ${firstOf(sql`${waiting}`, sql`m.id desc`)}
    select m.*, left(w.text, ${TEXT_MAX}) as text, ${inAll(query, sql`w.text`)} as in_all, ${isExact(query, sql`w.text`)} as exact,
           word_similarity(${query.phrase}, left(w.text, ${TEXT_MAX})) as phrase_similarity,
           (select count(*) from waiting) as looked_at, (select sum(octet_length(content)) from waiting) as bytes
    from waiting m, lateral (select ${wholeText(filter.search_metadata)} as text offset 0) w
    order by exact desc, phrase_similarity desc, id desc limit ${SCORED_MAX}`.execute(db)
  return {
    candidates: rows.map(({ looked_at: _, bytes: __, ...candidate }) => candidate),
    // Not all that are looked at are scored, and not all are looked at where they are long (firstOf).
    cut: (rows[0]?.looked_at ?? 0) > SCORED_MAX || (rows[0]?.bytes ?? 0) >= READ_MAX
  }
}
