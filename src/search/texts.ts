import { type RawBuilder, sql } from 'kysely'
import type { MessageRow } from '../messages/store/messages.js'
import type { Query } from './query.js'
import { isAscii, lower, metadataValues, normal } from './terms.js'

/** A message that is scored. */
export interface Candidate extends MessageRow {
  /** pg_trgm's word_similarity of the whole query and the beginning of the text, 0–1. */
  similarity: number
  /** How long the text is beside the others that were found: 1 is their mean. */
  length: number
  /** What the messages before and after it weigh, as shares of the query's weight, together. */
  beside: number
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

/**
 * How similar the query is to the words of a message `m`, or of another text. Where either has letters beyond ASCII, which pg_trgm takes for
 * letters in some locales and not in others, those of the query are told apart as letters of ASCII, and others left out.
 */
export function similarity({ phrase }: Query, of?: RawBuilder<string>): RawBuilder<number> {
  const text = of ?? sql`m.sender || ' ' || left(m.content, ${sql.lit(SIMILARITY_MAX)})`
  const letters = [...new Set(phrase.replace(/[\x00-\x7f]/g, ''))]
  const asAscii = (given: string) =>
    given.replace(/[^\x00-\x7f]/gu, letter => STAND_INS.charAt(letters.indexOf(letter) % STAND_INS.length))
  const { from, to } = cases(letters, letter => asAscii(letter))
  const told = letters.length === 0 ? text : sql`translate(${text}, ${from}, ${to})`
  return sql<number>`word_similarity(${asAscii(phrase)}, case when octet_length(${text}) = length(${text}) then ${text}
    else regexp_replace(${told}, '[^\\x01-\\x7f]', ' ', 'g') end)`
}
const STAND_INS = 'qxzjkvwybhgpmfucdlnrsitaoe0123456789'

/**
 * A text in lower case as far as a query needs it: ASCII, and the query's own letters. PostgreSQL lowers others in some
 * locales and not in others.
 */
export function folding(query: string): (text: RawBuilder<unknown>) => RawBuilder<string> {
  if (isAscii(query)) return text => sql<string>`lower((${text}) collate "C")`
  const { from, to } = cases([...new Set(query.replace(/[\x00-\x7f]/g, ''))], letter => letter)
  return text =>
    sql<string>`case when octet_length(${text}) = length(${text}) then lower((${text}) collate "C")
      else lower(translate(normalize(${text}, NFC), ${from}, ${to}) collate "C") end`
}

/** Letters in both cases, and what each becomes. */
function cases(letters: readonly string[], becomes: (letter: string) => string): { from: string; to: string } {
  const pairs = letters.flatMap(letter =>
    [letter, letter.toUpperCase(), ...(letter === 'σ' ? ['ς'] : [])]
      .filter(one => [...one].length === 1)
      .map(one => [one, becomes(letter)] as const)
  )
  return { from: pairs.map(([from]) => from).join(''), to: pairs.map(([, to]) => to).join('') }
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
const READ_MAX = 2_000_000

/**
 * The first of the messages `m`, in an order, that have READ_MAX bytes of content together; the one that passes the
 * bound still belongs to them. Their sizes are known without reading them.
 */
export function firstOf(messages: RawBuilder<unknown>, order: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select * from (select m.*, sum(octet_length(m.content)) over (order by ${order}) - octet_length(m.content) as read_before
    from (${messages}) m) m where read_before < ${sql.lit(READ_MAX)})`
}
