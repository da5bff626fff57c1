import { type RawBuilder, sql } from 'kysely'
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
const LOOKED_AT = 500

/** Exact matches among the newest messages, newest first, at most `limit`. */
export async function recentExact (db: Db, viewer: Agent, query: Query, filter: SearchFilter, limit: number): Promise<Candidate[]> {
  const newest = searched(db, viewer, filter).select(messageColumns)
  const ordered = filter.session_id !== undefined ? newest.orderBy('m.seq', 'desc') : newest.orderBy('m.id', 'desc')
  const { rows } = await sql<Candidate>`
    select m.*, true as exact, 1::real as phrase_similarity, left(w.text, ${TEXT_MAX}) as text
    from (select * from (${ordered.limit(LOOKED_AT)}) m where ${mayHold(query.phrase)}) m, lateral (select ${wholeText(filter.search_metadata, query.phrase)} as text offset 0) w
    where ${isExact(query, sql`w.text`)}
    order by m.timestamp desc, m.id desc limit ${limit}`.execute(db)
  return rows
}

/**
 * Whether a message `m` can hold the phrase at all, by its longest piece without white space: making the whole searched text
 * costs several times as much. Only for plain ASCII, where lowering and composing change nothing but case.
 */
function mayHold (phrase: string): RawBuilder<boolean> {
  const piece = phrase.split(' ').reduce((longest, one) => one.length > longest.length ? one : longest, '').toLowerCase()
  // JSON writes quotes and backslashes otherwise than they are searched.
  if (!/^[!-~]+$/.test(piece) || /["\\]/.test(piece)) return sql<boolean>`true`
  const stands = (text: RawBuilder<unknown>) => sql`strpos(lower((${text}) collate "default"), ${piece}) > 0`
  return sql<boolean>`(${stands(sql`m.content`)} or ${stands(sql`m.sender`)} or (m.metadata <> '{}' and ${stands(sql`m.metadata::text`)}))`
}
