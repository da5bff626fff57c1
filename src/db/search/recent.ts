import { sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import { messageColumns } from '../messages.js'
import type { Db } from '../schema.js'
import { searched, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { type Candidate, isExact, TEXT_MAX, wholeText } from './texts.js'

/**
 * The newest messages are looked at first, whatever they say. A phrase that fills the answer from these alone has it: exact
 * matches all score 100, and equals come newest first. So a common phrase never makes the index collect half a session, and
 * what the index is asked for is rare (at most about one message in LOOKED_AT / limit).
 */
const LOOKED_AT = 1000

/** Exact matches among the newest messages, newest first, at most `limit`. */
export async function recentExact (db: Db, viewer: Agent, query: Query, filter: SearchFilter, limit: number): Promise<Candidate[]> {
  const newest = searched(db, viewer, filter).select(messageColumns)
  const ordered = filter.session_id !== undefined ? newest.orderBy('m.seq', 'desc') : newest.orderBy('m.id', 'desc')
  const { rows } = await sql<Candidate>`
    select m.*, true as exact, 1::real as phrase_similarity, left(w.text, ${TEXT_MAX}) as text
    from (${ordered.limit(LOOKED_AT)}) m, lateral (select ${wholeText(filter.search_metadata, query.phrase)} as text offset 0) w
    where ${isExact(query, sql`w.text`)}
    order by m.timestamp desc, m.id desc limit ${limit}`.execute(db)
  return rows
}
