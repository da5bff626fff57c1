import { type RawBuilder, sql } from 'kysely'
import type { MessageRow } from '../messages/store/messages.js'
import type { Letters } from '../postgres/letters.js'
import { lower, metadataValues, normal } from './terms.js'

/** A message that is scored. */
export interface Candidate extends MessageRow {
  /** pg_trgm's word_similarity of the whole query and the beginning of the text, 0–1. */
  similarity: number
  /** How long the text is beside the others that were found: 1 is their mean. */
  length: number
  /** What the messages before and after it weigh, as shares of the query's weight, together. */
  beside: number
}

export interface Found {
  candidates: Candidate[]
  /** Whether a bound has left something out. */
  cut: boolean
}

/** The texts of a message that are searched, each for itself, so that a phrase cannot run from one into the next. */
export function textsOf({ content, sender, metadata }: MessageRow, search_metadata: boolean): string[] {
  const texts = [content, sender, ...(search_metadata ? metadataValues(metadata) : [])]
  return texts.map(asSearched)
}

export function asSearched(text: string): string {
  return lower(normal(text)).replace(/[ \t\r\n]+/g, ' ')
}

/** Characters of a text that word_similarity looks at: it takes about 0.1 ms for 400. */
export const SIMILARITY_MAX = 600

/** How similar the query is to the words of a message `m`, or of another text. */
export function similarity({ told, letters, told_as }: Letters, of?: RawBuilder<string>): RawBuilder<number> {
  const text = of ?? sql`m.sender || ' ' || left(m.content, ${sql.lit(SIMILARITY_MAX)})`
  return sql<number>`word_similarity(${told}, case when octet_length(${text}) = length(${text}) then ${text}
    else regexp_replace(translate(${text}, ${letters}, ${told_as}), '[^\\x01-\\x7f]', ' ', 'g') end)`
}

/** A text in lower case as far as a query needs it: ASCII, and the query's own letters. */
export function folding(
  { letters, lowered }: Letters,
  is_ascii: boolean
): (text: RawBuilder<unknown>) => RawBuilder<string> {
  if (is_ascii) return text => sql<string>`lower((${text}) collate "C")`
  return text =>
    sql<string>`case when octet_length(${text}) = length(${text}) then lower((${text}) collate "C")
      else lower(translate(normalize(${text}, NFC), ${letters}, ${lowered}) collate "C") end`
}

/** Sender, content and metadata of a message `m` as they are looked through, folded. */
export function lookedThrough(
  fold: (text: RawBuilder<unknown>) => RawBuilder<string>,
  search_metadata: boolean
): RawBuilder<string> {
  const metadata = search_metadata ? sql`case when m.metadata = '{}' then '' else m.metadata::text end` : sql`''`
  return fold(sql`m.sender || E'\\n' || m.content || E'\\n' || ${metadata}`)
}

/** Bytes of content that one step of a search reads whole. */
export const READ_MAX = 2_000_000

/**
 * The first of the messages `m`, in an order, that have READ_MAX bytes of content together; the one that passes the
 * bound still belongs to them. Their sizes are known without reading them.
 */
export function firstOf(messages: RawBuilder<unknown>, order: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select * from (
      select m.*, sum(octet_length(m.content)) over (order by ${order}) - octet_length(m.content) as read_before
      from (${messages}) m) m
    where read_before < ${sql.lit(READ_MAX)})`
}
