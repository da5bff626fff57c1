import { type RawBuilder, sql } from 'kysely'
import type { MessageRow } from '../messages/store/messages.js'
import type { Query } from './query.js'

/** SQL for the text of a message `m` that is searched, and for what of the query stands in it. */

export interface Candidate extends MessageRow {
  /** Whether the phrase stands in the content, the sender or one metadata value. */
  exact: boolean
  /** pg_trgm's word_similarity of the whole phrase, 0–1. */
  phrase_similarity: number
  /** Sender, content and metadata values, lower-cased, cut at TEXT_MAX. */
  text: string
  /** Of a text longer than TEXT_MAX: whether each word of the query, as it is typed, stands anywhere in it. */
  in_all?: boolean[] | null
}

/**
 * Characters of a text that trigrams and words are taken of when it is scored: pg_trgm costs time by the character.
 * Phrases are looked for in all of it.
 */
export const TEXT_MAX = 8000

/**
 * Sender, content and metadata values, each on a line of its own so that a phrase cannot run from one into the next.
 * @param phrase leaves out metadata in which the phrase does not stand even as JSON text: taking values out costs much
 * more
 */
export function wholeText(search_metadata: boolean, phrase?: string): RawBuilder<string> {
  // JSON writes quotes and backslashes otherwise than they are searched; white space and accents may be written in more
  // ways.
  const without =
    phrase === undefined || !/^[!-~]+$/.test(phrase) || /["\\]/.test(phrase)
      ? sql``
      : sql`or strpos(lower(m.metadata::text), lower(${phrase})) = 0`
  // Values at any depth, names left out.
  const metadataValues = search_metadata
    ? sql`case when m.metadata = '{}' ${without} then '' else coalesce((
        select string_agg(regexp_replace(${composed(sql`(v #>> '{}')`)}, '[ \\t\\r\\n]+', ' ', 'g'), E'\\n') from jsonb_path_query(m.metadata, 'strict $.**') v
        where jsonb_typeof(v) not in ('object', 'array', 'null')), '') end`
    : sql`''`
  // The white space of the query is one space, its accents are composed; so are those of the texts it is looked for in.
  // Most need neither, and finding that out costs a tenth of doing it.
  const spaced = sql`case when strpos(m.content, E'\\n') + strpos(m.content, '  ') + strpos(m.content, E'\\t') + strpos(m.content, E'\\r') = 0
    then ${composed(sql`m.content`)} else regexp_replace(${composed(sql`m.content`)}, '[ \\t\\r\\n]+', ' ', 'g') end`
  // The sender's collation is "C", which would spread over the whole and lower ASCII alone.
  return sql`lower((${composed(sql`m.sender`)} || E'\\n' || ${spaced} || E'\\n' || ${metadataValues}) collate "default")`
}

/**
 * A text as it is searched, for finding out whether it can hold some letters: plain ASCII is found without composing,
 * and by lowering ASCII alone, at a tenth of the cost.
 */
export function roughly(wanted: string): (text: RawBuilder<unknown>) => RawBuilder<unknown> {
  return text =>
    /^[ -~]*$/.test(wanted) ? sql`lower((${text}) collate "C")` : sql`lower(${composed(text)} collate "default")`
}

/** A text with composed accents, so that é is one however it was typed. */
function composed(text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(case when octet_length(${text}) = length(${text}) then ${text} else normalize(${text}, NFC) end)`
}

/** Whether the phrase stands in a text, with the bounds of identifiers. */
export function isExact(query: Query, text: RawBuilder<string>): RawBuilder<boolean> {
  return query.phrase_pattern !== undefined
    ? sql<boolean>`(${text} ~ lower(${query.phrase_pattern}))`
    : sql<boolean>`(strpos(${text}, lower(${query.phrase})) > 0)`
}

/**
 * Whether a word stands in a text, as typed or as part of a longer one, as terms.ts has it: with or without accents,
 * with one sigma.
 */
export function standsIn(word: string, text: RawBuilder<string>): RawBuilder<boolean> {
  const oneSigma = sql`translate(${text}, 'ς', 'σ')`
  return sql<boolean>`(strpos(${text}, ${word}) > 0
    or octet_length(${text}) > length(${text}) and (strpos(${oneSigma}, ${word}) > 0 or strpos(normalize(regexp_replace(normalize(${oneSigma}, NFD), '[\u0300-\u036f]', '', 'g'), NFC), ${word}) > 0))`
}

/**
 * Whether each word of the query stands in a text that is longer than TEXT_MAX, of which more is not looked at word by
 * word.
 */
export function inAll({ words }: Query, text: RawBuilder<string>): RawBuilder<boolean[] | null> {
  const each = words.map(word =>
    word.pattern !== undefined ? sql`${text} ~ ${word.pattern}` : sql`strpos(${text}, ${word.text}) > 0`
  )
  return sql`case when length(${text}) > ${TEXT_MAX} then array[${sql.join(each)}] end`
}

/** Bytes of content that one step of a search reads whole; the index finds what is beyond. */
export const READ_MAX = 2_000_000

/**
 * The first of the messages `m`, in an order, that have READ_MAX bytes of content together; the one that passes the
 * bound still belongs to them. Their sizes are known without reading them.
 */
export function firstOf(messages: RawBuilder<unknown>, order: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select * from (select m.*, sum(octet_length(m.content)) over (order by ${order}) - octet_length(m.content) as read_before from (${messages}) m) m where read_before < ${READ_MAX})`
}
