import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../kernel/agent.js'
import { messageColumns } from '../messages/store/messages.js'
import type { Db } from '../postgres/schema.js'
import { plannedEachTime } from '../postgres/statements.js'
import { searched, type SearchFilter } from './filter.js'
import type { Query } from './query.js'
import { type Candidate, firstOf, isExact, roughly, TEXT_MAX, wholeText } from './texts.js'

/**
 * The newest messages are looked at first, whatever they say. A phrase that fills the answer from these alone has it:
 * exact matches all score 100, and equals come newest first. So a common phrase never makes the index collect half a
 * session, and what the index is asked for is rare (at most about one message in LOOKED_AT / limit).
 */
const LOOKED_AT = 500

/** Exact matches among the newest messages, newest first, at most `limit`. */
export async function recentExact(
  db: Db,
  viewer: Agent,
  query: Query,
  filter: SearchFilter,
  limit: number
): Promise<Candidate[]> {
  const { rows } = await plannedEachTime(
    db,
    sql<Candidate>`
    select m.*, true as exact, 1::real as phrase_similarity, left(w.text, ${TEXT_MAX}) as text
    from (select * from ${firstOf(sql`${newestOf(db, viewer, filter).limit(LOOKED_AT)}`, sql`m.id desc`)} m where ${mayHold(query.phrase)}) m, lateral (select ${wholeText(filter.search_metadata, query.phrase)} as text offset 0) w
    where ${isExact(query, sql`w.text`)}
    order by m.timestamp desc, m.id desc limit ${limit}`
  )
  return rows
}

/** Letters of a message in which words are counted: it is only about how common they are. */
const COUNTED_IN = 2000

/** How many of the newest messages hold each word of the query. */
export async function recentHolding(db: Db, viewer: Agent, { words }: Query, filter: SearchFilter): Promise<number[]> {
  const rough = roughly(words.map(({ text }) => text).join(''))
  const { rows } = await plannedEachTime(
    db,
    sql<{ holding: number[] }>`
    select array[${sql.join(words.map(({ text }) => sql`count(*) filter (where strpos(text, ${text}) > 0)`))}]::int[] as holding
    from (select ${rough(sql`left(m.content, ${COUNTED_IN})`)} as text from (${newestOf(db, viewer, filter).limit(LOOKED_AT)}) m offset 0) newest`
  )
  return (rows[0] as { holding: number[] }).holding
}

/** The messages a search is about, newest first. */
export function newestOf(db: Db, viewer: Agent, filter: SearchFilter) {
  const newest = searched(db, viewer, filter).select(messageColumns)
  return filter.session_id !== undefined ? newest.orderBy('m.seq', 'desc') : newest.orderBy('m.id', 'desc')
}

/**
 * Whether a message `m` can hold the phrase at all, by its longest piece without white space: making the whole searched
 * text costs several times as much. Only for plain ASCII, where lowering and composing change nothing but case.
 */
function mayHold(phrase: string): RawBuilder<boolean> {
  const piece = phrase
    .split(' ')
    .reduce((longest, one) => (one.length > longest.length ? one : longest), '')
    .toLowerCase()
  // JSON writes quotes and backslashes otherwise than they are searched.
  if (!/^[!-~]+$/.test(piece) || /["\\]/.test(piece)) return sql<boolean>`true`
  const rough = roughly(piece)
  const stands = (text: RawBuilder<unknown>) => sql`strpos(${rough(text)}, ${piece}) > 0`
  return sql<boolean>`(${stands(sql`m.content`)} or ${stands(sql`m.sender`)} or (m.metadata <> '{}' and ${stands(sql`m.metadata::text`)}))`
}
