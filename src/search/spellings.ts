import { type RawBuilder, sql } from 'kysely'
import { editDistance } from '../kernel/edit-distance.js'
import { likePattern } from '../postgres/like.js'
import { createBreaks } from './breaks.js'
import { errorsForgiven, halvesOf, mayHaveErrors, TWO_ERRORS_MIN } from './edits.js'
import { forEachKind, inArray, literal, type Search } from './reach.js'
import type { Unit } from './query.js'
import type { Rarity } from './rarity.js'
import { hasDigit } from './terms.js'

/**
 * Words that a rare or unknown word of a query may stand for: longer ones that hold it, and ones that it misspells.
 * Only words of messages that the viewer may see are taken, the nearest first, so that where the list ends depends on
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
/** Words that are asked for at once whether they are seen, and messages that those are looked for in. */
const PART = 128
const ROWS_MAX = 500
/**
 * Words of the vocabulary that are read, in all and of one range: half a word, of so many letters. Of 400 000 words of
 * a language no range holds a quarter of that, but somebody may have made up a vocabulary of variants of one word.
 */
const READ_MAX = 5000
const RANGE_MAX = 500
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
 * @returns whether there are any, and whether a bound may have left some out
 */
export async function addSpellings(
  search: Search,
  { counts }: Rarity,
  errors: 1 | 2,
  spelt: Spelt
): Promise<{ any: boolean; cut: boolean }> {
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
  const { found, cut } = await spellings(search, words)
  for (const { unit } of asked)
    spelt.set(
      unit,
      (unit.parts ?? [unit.text]).map(() => [])
    )
  for (const [n, { unit, part }] of words.entries()) (spelt.get(unit) as Spelling[][])[part] = found[n] as Spelling[]
  const any = asked.some(({ unit }) => unit.parts !== undefined) || found.some(list => list.length > 0)
  return { any, cut }
}

/** The spellings of each word, up to so many errors away, none of them longer words. One statement. */
async function spellings(
  search: Search,
  texts: ReadonlyArray<{ text: string; errors: 0 | 1 | 2; is_part: boolean }>
): Promise<{ found: Spelling[][]; cut: boolean }> {
  const found = texts.map((): Spelling[] => [])
  const values = waysOf(texts)
  if (Object.values(values).every(({ length }) => length === 0)) return { found, cut: false }
  const rows = await alike(search, values)
  const pause = createBreaks()
  for (const { n, word, term } of rows) {
    await pause()
    const { text, errors: most } = texts[n] as (typeof texts)[0]
    if (word === text) continue
    if (word.includes(text)) (found[n] as Spelling[]).push({ word, term, errors: 0 })
    else {
      const allowed = Math.min(most, errorsForgiven(text, word))
      const errors = allowed === 0 ? 1 : editDistance(text, word, allowed)
      if (errors <= allowed) (found[n] as Spelling[]).push({ word, term, errors })
    }
  }
  const nearest = (list: Spelling[]) =>
    list.sort((a, b) => a.errors - b.errors || a.word.length - b.word.length || (a.word < b.word ? -1 : 1))
  return {
    found: await Promise.all(
      found.map(async list => (list.length <= SPELLINGS_MAX ? list : inReachOf(search, nearest(list))))
    ),
    // Of one range nothing is said: how many words begin so, of messages that the viewer may not see too, is nobody's.
    cut: rows.length === READ_MAX
  }
}

/**
 * Of a list that is too long, the first words that stand in messages which the viewer may see. GIN is asked in parts,
 * since with every row it advances all terms of a part, and not term by term, since each time it looks through what it
 * has put off.
 */
const seenOf = forEachKind<{ parts: string[] }, { term: number }>(
  'search.seen',
  ({ array, seen }, { parts }) => sql`
    select found.term
    from (select part::int4[] as terms, n from unnest(${parts}::text[]) with ordinality as p (part, n)
        order by n) listed,
      lateral (select distinct term
        from (select ${array} as terms from message_terms t
            where ${array} && listed.terms and ${seen} limit ${sql.lit(ROWS_MAX)}) t,
          unnest(t.terms) term
        where term = any(listed.terms) offset 0) found
    limit ${sql.lit(SPELLINGS_MAX + PART)}`
)
async function inReachOf(search: Search, list: Spelling[]): Promise<Spelling[]> {
  const terms = inArray(
    search,
    list.map(({ term }) => term)
  )
  const parts = Array.from({ length: Math.ceil(terms.length / PART) }, (_, i) =>
    literal(terms.slice(i * PART, (i + 1) * PART))
  )
  const rows = await seenOf(search, { parts })
  const seen = new Set(rows.map(({ term }) => term))
  return list.filter((_, i) => seen.has(terms[i] as number)).slice(0, SPELLINGS_MAX)
}

/** Where words are looked for that may be meant: in lists whose n tells of which word. */
interface Ways {
  /** Words that hold one, as patterns; and that begin with a short one. */
  holding: number[]
  patterns: string[]
  beginning: number[]
  starts: string[]
  /** Words of so many letters that begin, or read backwards, as they would with so many errors. */
  misspelt: number[]
  shortest: number[]
  longest: number[]
  forwards: number[]
  forwards_parts: string[]
  backwards: number[]
  backwards_parts: string[]
}

function waysOf(texts: ReadonlyArray<{ text: string; errors: 0 | 1 | 2; is_part: boolean }>): Ways {
  const ways: Ways = {
    ...{ holding: [], patterns: [], beginning: [], starts: [], misspelt: [], shortest: [], longest: [] },
    ...{ forwards: [], forwards_parts: [], backwards: [], backwards_parts: [] }
  }
  for (const [n, { text, errors, is_part }] of texts.entries()) {
    if (!is_part && text.length >= INSIDE_MIN) {
      ways.holding.push(n)
      ways.patterns.push(likePattern(text))
    } else if (!is_part && text.length >= START_MIN) {
      ways.beginning.push(n)
      ways.starts.push(text)
    }
    if (errors === 0 || !mayHaveErrors(text, 1)) continue
    const { beginnings, endings } = halvesOf(text, errors)
    const length = [...text].length
    // Two errors are forgiven if one of both words is long.
    const shortest = errors === 2 && length < TWO_ERRORS_MIN ? TWO_ERRORS_MIN : Math.max(1, length - errors)
    ways.misspelt.push(n)
    ways.shortest.push(shortest)
    ways.longest.push(length + errors)
    for (const part of beginnings) {
      ways.forwards.push(n)
      ways.forwards_parts.push(part)
    }
    for (const part of endings) {
      ways.backwards.push(n)
      ways.backwards_parts.push(part)
    }
  }
  return ways
}

/**
 * (Measured over 400 000 words: one error by trying all its about 450 spellings 5 ms a word, by halves 1 ms; two errors
 * by the trigrams they can leave 200–800 ms, by halves 10 ms.)
 */
const alike = forEachKind<Ways, { n: number; word: string; term: number }>('search.alike', ({ workspace }, ways) => {
  const words = (from: RawBuilder<unknown>, where: RawBuilder<unknown>) => sql`
    select way.n, known.word, known.term from ${from}, lateral (select known.word, known.term from search_words known
      where ${where} limit ${sql.lit(RANGE_MAX)}) known`
  // The order is that of the index which has the range. Without statistics PostgreSQL would take any that begins alike.
  const between = (column: RawBuilder<unknown>) =>
    sql`known.term is not null and ${column} >= way.part collate "C"
      and ${column} < (way.part || ${sql.lit(LAST)}) collate "C" order by ${column} collate "C"`
  const in_workspace = sql`known.workspace = ${workspace}`
  const sized = sql`${in_workspace} and length(known.word) = way.letters`
  const misspelt = (n: number[], parts: string[]) => sql`
    (select length.n, letters, part
      from unnest(${ways.misspelt}::int[], ${ways.shortest}::int[], ${ways.longest}::int[])
          length (n, shortest, longest),
        generate_series(shortest, longest) letters, unnest(${n}::int[], ${parts}::text[]) of (n, part)
      where of.n = length.n) way`
  return sql`(${words(
    sql`unnest(${ways.holding}::int[], ${ways.patterns}::text[]) way (n, pattern)`,
    sql`known.word like way.pattern and coalesce(${in_workspace}, false) and known.term is not null`
  )} union ${words(
    sql`unnest(${ways.beginning}::int[], ${ways.starts}::text[]) way (n, part)`,
    sql`${in_workspace} and ${between(sql`known.word`)}`
  )} union ${words(misspelt(ways.forwards, ways.forwards_parts), sql`${sized} and ${between(sql`known.word`)}`)}
    union ${words(
      misspelt(ways.backwards, ways.backwards_parts),
      sql`${sized} and ${between(sql`reverse(known.word)`)}`
    )}) limit ${sql.lit(READ_MAX)}`
})
