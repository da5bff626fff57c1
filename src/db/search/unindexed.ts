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
  const session = filter.session_id === undefined ? sql`` : sql`and session_id = ${filter.session_id}`
  const visible = searched(db, viewer, filter).where('m.id', '=', sql<number>`p.message_id`).select(messageColumns)
  // Message by message: how many wait PostgreSQL cannot know, since moments ago there were none. (Measured: of 4500 that wait, a
  // plain join compares every one with every message of the session, in more than 10 s.)
  const waiting = sql`
    select m.* from (select message_id from search_pending where workspace = ${viewer.workspace} ${session} order by message_id desc offset 0) p,
      lateral (select v.* from ${visible} v offset 0) m
    order by p.message_id desc limit ${LOOKED_AT + 1}`
  const { rows } = await sql<Candidate & { looked_at: number, bytes: number }>`${PLANNED_EACH_TIME}
    with waiting as materialized ${firstOf(waiting, sql`m.id desc`)}
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
