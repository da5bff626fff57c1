import { type RawBuilder, sql } from 'kysely'
import type { Agent } from '../../core/agent.js'
import { messageColumns, type MessageRow } from '../messages.js'
import type { Db } from '../schema.js'
import { readableMessages } from '../visibility.js'
import type { Query, Word } from './query.js'

export interface SearchFilter {
  session_id?: string
  sender?: string
  scope: 'all' | 'public' | 'private'
  start_time?: string
  end_time?: string
  metadata_filter?: Record<string, unknown>
  search_metadata: boolean
}

export interface Candidate extends MessageRow {
  /** Whether the phrase stands in the content, the sender or one metadata value. */
  exact: boolean
  /** pg_trgm's word_similarity of the whole phrase, 0–1. */
  phrase_similarity: number
  /** Per word of the query, pg_trgm's word_similarity, 1 where it stands in the text; 0–1. */
  word_similarities: number[]
  /** Sender, content and metadata values, lower-cased, cut at TEXT_MAX. */
  text: string
}

/** Candidates that are ranked; the best by pg_trgm's own figures, newest first among equals. */
const CANDIDATES_MAX = 400

/** Characters of a text that trigrams are taken of: pg_trgm costs time by the character. Exact matches are looked for in all of it. */
const TEXT_MAX = 8000

/** Below this word_similarity a word has no near spelling in the text: `pyhton` and `python` have 0.29. rank.ts looks closer. */
const NEAR_MIN = 0.2

/** Words without which a long plain question may still be answered. */
export type Missing = 0 | 1

/**
 * The messages the viewer may see, narrowed by the filter, in which the phrase stands or all words (but `missing` of them)
 * stand or have a near spelling. Visibility and filters are conditions of the same statement: what the viewer cannot see has
 * no part in what is found, nor in its order.
 */
export async function findCandidates (db: Db, viewer: Agent, query: Query, filter: SearchFilter, missing: Missing): Promise<Candidate[]> {
  let readable = readableMessages(db, viewer)
  if (filter.session_id !== undefined) readable = readable.where('m.session_id', '=', filter.session_id)
  if (filter.sender !== undefined) readable = readable.where('m.sender', '=', filter.sender)
  if (filter.scope !== 'all') readable = readable.where('m.visibility', '=', filter.scope)
  if (filter.start_time !== undefined) readable = readable.where('m.timestamp', '>=', filter.start_time)
  if (filter.end_time !== undefined) readable = readable.where('m.timestamp', '<=', filter.end_time)
  if (filter.metadata_filter !== undefined) readable = readable.where(sql<boolean>`m.metadata @> ${JSON.stringify(filter.metadata_filter)}::jsonb`)

  // Values at any depth, each on a line of its own so that a phrase cannot run from one into the next.
  const metadataValues = filter.search_metadata
    ? sql`case when m.metadata = '{}' then '' else coalesce((
        select string_agg(v #>> '{}', E'\\n') from jsonb_path_query(m.metadata, 'strict $.**') v
        where jsonb_typeof(v) not in ('object', 'array', 'null')), '') end`
    : sql`''`
  const exact = query.phrase_pattern !== undefined
    ? sql`(t.whole ~ ${query.phrase_pattern})`
    : sql`(strpos(t.whole, ${query.phrase}) > 0)`
  const words = query.words.map(matches)
  const enough = words.length === 0
    ? sql`false`
    : missing === 0
      ? sql`(${sql.join(words, sql` and `)})`
      : sql`(${sql.join(words.map(word => sql`(${word})::int`), sql` + `)} >= ${words.length - missing})`

  const { rows } = await sql<Candidate>`
    select id, session_id, seq, sender, sender_type, content, visibility, metadata, parent_message_id, timestamp, exact, text,
           word_similarity(${query.phrase}, text) as phrase_similarity,
           ${words.length === 0 ? sql`'{}'::real[]` : sql`array[${sql.join(query.words.map(similarity))}]::real[]`} as word_similarities
    from (
      select m.*, ${exact} as exact, t.whole, left(t.whole, ${TEXT_MAX}) as text
      from (${readable.select(messageColumns)}) m
      cross join lateral (
        -- The white space of the query is one space; so is that of the content it is looked for in.
        select lower(m.sender || E'\\n' || regexp_replace(m.content, '[ \\t\\r\\n]+', ' ', 'g') || E'\\n' || ${metadataValues}) as whole offset 0
      ) t
      where ${exact} or ${enough}
    ) found
    order by exact desc, phrase_similarity desc, timestamp desc, id desc
    limit ${CANDIDATES_MAX}`.execute(db)
  return rows
}

/** Whether a word stands in a text or has a near spelling in it; the cheap test first. */
function matches (word: Word): RawBuilder<boolean> {
  return word.pattern !== undefined
    ? sql`t.whole ~ ${word.pattern}`
    : sql`(strpos(t.whole, ${word.text}) > 0 or word_similarity(${word.text}, left(t.whole, ${TEXT_MAX})) >= ${NEAR_MIN})`
}

function similarity (word: Word): RawBuilder<number> {
  return sql`(case when strpos(whole, ${word.text}) > 0 then 1 else word_similarity(${word.text}, text) end)`
}
