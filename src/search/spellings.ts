import { sql } from 'kysely'
import { editDistance } from '../kernel/edit-distance.js'
import { likePattern } from '../postgres/like.js'
import { withinASecond } from '../postgres/statements.js'
import { errorsForgiven, halvesOf, mayHaveErrors, TWO_ERRORS_MIN } from './edits.js'
import { forEachKind, inArray, type Search } from './reach.js'
import type { Unit } from './query.js'
import type { Rarity } from './rarity.js'
import { hasDigit } from './terms.js'

/**
 * Words that a rare or unknown word of a query may stand for: longer ones that hold it, and ones that it misspells. Only
 * words of messages that the viewer may see are taken, the nearest first, so that where the list ends depends on
 * nothing else.
 */
export interface Spelling {
  word: string
  /** Its term, without a session. */
  term: number
  errors: number
}

/** A word that fewer of the messages hold is looked for in other spellings too. */
const RARE = 10
/** Words of a query that are, the rarest; and spellings of each. */
const SPELT_MAX = 4
const SPELLINGS_MAX = 48
/** Words of the vocabulary that are read. */
const READ_MAX = 20_000
/** Shorter words are in half a vocabulary: only words that begin so are taken, or none. */
const INSIDE_MIN = 4
const START_MIN = 2
/** After all others, byte by byte. */
const LAST = '\u{10FFFF}'

/** The spellings of words of a query: a list for a plain word, one for each part of an identifier. */
export type Spelt = Map<Unit, Spelling[][]>

/**
 * Adds the spellings of those words of a query that are unknown, or so rare that longer words which hold them count.
 * @param errors how many typing errors an unknown word may have
 * @returns whether there are any
 */
export async function addSpellings(
  search: Search,
  { counts }: Rarity,
  errors: 1 | 2,
  spelt: Spelt
): Promise<boolean> {
  const { units } = search.query
  const asked = units
    .map((unit, i) => ({ unit, count: counts[i] as number, at_end: i === 0 || i === units.length - 1 }))
    .filter(({ unit, count, at_end }) => {
      if (unit.terms.length === 0 || (unit.kind !== 'word' && unit.parts === undefined)) return false
      // What stands somewhere is only looked for in longer words, which a phrase may begin or end in.
      return count === 0 || (errors === 1 && count < RARE && at_end && unit.kind === 'word')
    })
    .sort((a, b) => a.count - b.count)
    .slice(0, SPELT_MAX)
  const texts = asked.flatMap(({ unit, count }) =>
    (unit.parts ?? [unit.text]).map((text, part) => ({
      unit,
      part,
      is_part: unit.parts !== undefined,
      text,
      errors: count > 0 ? 0 : hasDigit(text) ? undefined : errors
    }))
  )
  const words = texts.filter((one): one is typeof one & { errors: 0 | 1 | 2 } => one.errors !== undefined)
  const found = await spellings(search, words)
  for (const { unit } of asked)
    spelt.set(
      unit,
      (unit.parts ?? [unit.text]).map(() => [])
    )
  for (const [n, { unit, part }] of words.entries()) (spelt.get(unit) as Spelling[][])[part] = found[n] as Spelling[]
  return asked.some(({ unit }) => unit.parts !== undefined) || found.some(list => list.length > 0)
}

/** The spellings of each word, up to so many errors away, none of them longer words. One statement. */
async function spellings(
  search: Search,
  texts: ReadonlyArray<{ text: string; errors: 0 | 1 | 2; is_part: boolean }>
): Promise<Spelling[][]> {
  const { db, viewer } = search
  const found = texts.map((): Spelling[] => [])
  const ways = texts.flatMap(({ text, errors, is_part }, n) => [
    ...(is_part ? [] : [longer(viewer.workspace, n, text)]),
    ...(errors > 0 && mayHaveErrors(text, 1) ? [misspelt(viewer.workspace, n, text, errors as 1 | 2)] : [])
  ])
  if (ways.length === 0) return found
  const { rows } = await withinASecond(
    db,
    sql<{ n: number; word: string; term: number }>`${sql.join(ways, sql` union `)} limit ${sql.lit(READ_MAX)}`
  )
  for (const { n, word, term } of rows) {
    const { text, errors: most } = texts[n] as (typeof texts)[0]
    if (word.includes(text)) (found[n] as Spelling[]).push({ word, term, errors: 0 })
    else {
      const allowed = Math.min(most, errorsForgiven(text, word))
      const errors = allowed === 0 ? 1 : editDistance(text, word, allowed)
      if (errors <= allowed) (found[n] as Spelling[]).push({ word, term, errors })
    }
  }
  const nearest = (list: Spelling[]) =>
    list.sort((a, b) => a.errors - b.errors || a.word.length - b.word.length || (a.word < b.word ? -1 : 1))
  return Promise.all(
    found.map(async list => (list.length <= SPELLINGS_MAX ? list : inReachOf(search, nearest(list))))
  )
}

/** Of a list that is too long, the first words that stand in messages which the viewer may see. */
const firstSeen = forEachKind<{ terms: number[] }, { term: number }>(
  'search.first_seen',
  ({ array, seen }, { terms }) => sql`
    select listed.term from unnest(${terms}::int4[]) with ordinality as listed (term, n), lateral (
      select from message_terms t where ${array} @> array[listed.term] and ${seen} limit 1) found
    order by listed.n limit ${sql.lit(SPELLINGS_MAX)}`
)

async function inReachOf(search: Search, list: Spelling[]): Promise<Spelling[]> {
  const terms = inArray(
    search,
    list.map(({ term }) => term)
  )
  const rows = await firstSeen(search, { terms })
  const seen = new Set(rows.map(({ term }) => term))
  return list.filter((_, i) => seen.has(terms[i] as number)).slice(0, SPELLINGS_MAX)
}

/** Words that hold a word, or begin with a short one. */
function longer(workspace: string, n: number, text: string) {
  const where =
    text.length >= INSIDE_MIN
      ? sql`word like ${likePattern(text)}`
      : text.length >= START_MIN
        ? sql`word >= ${text} collate "C" and word < (${text} || ${LAST}) collate "C"`
        : sql`false`
  return sql`(select ${n}::int as n, word, term from search_words
    where workspace = ${workspace} and ${where} and word <> ${text} and term is not null)`
}

/**
 * Words of about the length that begin or end as they would with so many errors. (Measured over 400 000 words: one error
 * by trying all its about 450 spellings 5 ms a word, by halves 1 ms; two errors by the trigrams they can leave 200–800
 * ms, by halves 10 ms.)
 */
function misspelt(workspace: string, n: number, text: string, errors: 1 | 2) {
  const { beginnings, endings } = halvesOf(text, errors)
  const length = [...text].length
  const lengths = Array.from({ length: 2 * errors + 1 }, (_, more) => length - errors + more).filter(
    other => other > 0 && (errors === 1 || Math.max(length, other) >= TWO_ERRORS_MIN)
  )
  const known = (column: typeof FORWARDS, parts: string[]) => sql`
    select ${n}::int as n, known.word, known.term
    from unnest(${lengths}::int[]) letters, unnest(${parts}::text[]) part, lateral (
      select known.word, known.term from search_words known
      where known.workspace = ${workspace} and length(known.word) = letters and known.term is not null
        and ${column} >= part collate "C" and ${column} < (part || ${LAST}) collate "C" offset 0) known`
  return sql`(${known(FORWARDS, beginnings)} union ${known(BACKWARDS, endings)})`
}
const FORWARDS = sql`known.word`
const BACKWARDS = sql`reverse(known.word)`
