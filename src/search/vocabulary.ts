import { sql } from 'kysely'
import { editDistance } from '../kernel/edit-distance.js'
import { likePattern } from '../postgres/like.js'
import type { Db } from '../postgres/schema.js'
import { plannedEachTime } from '../postgres/statements.js'
import { errorsForgiven, halvesOf, mayHaveErrors, TWO_ERRORS_MIN } from './edits.js'
import { otherNumbers } from './other-number.js'
import type { Word } from './query.js'
import type { TermHash } from './term-hash.js'
import { wordTerm } from './terms.js'

/**
 * The words of a workspace that a query word may stand for. What is found here decides only where is looked: whether a
 * message is a result, and its score, is judged on the message (rank.ts). Words of messages that the viewer cannot see
 * are among them, so no list is cut short, and how long one is decides nothing but what the search costs.
 */
export interface Spellings {
  /** The word itself and those that begin with it. */
  starts: number[]
  /** Those that hold it elsewhere. */
  inside: number[]
  /** Those it may be a misspelling of. */
  near: number[]
}

/** Shorter words are not spelt out: half a vocabulary holds them. */
const SPELT_OUT_MIN = 4
/**
 * A word that stands in so many of the newest messages is a common one. It narrows little, and has spellings by the
 * thousand.
 */
const COMMON_MIN = 10

/**
 * Whether a word is looked for in all its spellings: not a short one, nor a common one. Beside others these are judged
 * on the messages that the others bring; alone they are looked for as they are written, and among the newest messages.
 * (Measured: of 790 000 words, mostly identifiers, 41 000 hold `load` and 25 000 `error`; candidates.ts takes 50 ms for
 * 3000.)
 * @param holding how many of the newest messages hold it, of those that the viewer may see
 */
export function isSpeltOut({ kind, text }: Word, holding: number): boolean {
  return kind === 'word' && text.length >= SPELT_OUT_MIN && holding < COMMON_MIN
}

/** The words as they are typed, also as parts of longer ones. One round trip. */
export async function typed(
  db: Db,
  workspace: string,
  hash: TermHash,
  letters: readonly Word[]
): Promise<Map<string, Spellings>> {
  const found = new Map<string, Spellings>()
  if (letters.length === 0) return found
  const parts = letters.map(
    ({ text }, i) =>
      sql`(select ${i}::int as n, word from search_words where workspace = ${workspace} and word like ${likePattern(text)})`
  )
  const { rows } = await plannedEachTime(
    db,
    sql<{
      n: number
      word: string
    }>`${sql.join(parts, sql` union all `)}`
  )
  for (const { text } of letters) found.set(text, { starts: [wordTerm(hash, text)], inside: [], near: [] })
  for (const { n, word } of rows) {
    const { text } = letters[n] as Word
    const spellings = found.get(text) as Spellings
    if (word !== text) (word.startsWith(text) ? spellings.starts : spellings.inside).push(wordTerm(hash, word))
  }
  return found
}

/**
 * Adds the words a query word may be with so many typing errors: those of about its length that begin or end as it
 * would then, compared letter by letter. One round trip. Measured over 400 000 words: one error by trying all its about
 * 450 spellings 5 ms a word, by halves 1 ms; two errors by the trigrams they can leave (`word % …` at similarity 0.14)
 * 200–800 ms, by halves 10 ms.
 * @returns whether there are any
 */
export async function addMisspelt(
  db: Db,
  workspace: string,
  hash: TermHash,
  words: readonly Word[],
  errors: 1 | 2,
  found: Map<string, Spellings>
): Promise<boolean> {
  const letters = words.filter(word => found.has(word.text) && mayHaveErrors(word.text, errors))
  if (letters.length === 0) return false
  const { rows } = await plannedEachTime(
    db,
    sql<{ n: number; word: string }>`${sql.join(
      letters.map(({ text }, i) => {
        const { beginnings, endings } = halvesOf(text, errors)
        const length = [...text].length
        const lengths = Array.from({ length: 2 * errors + 1 }, (_, more) => length - errors + more).filter(
          other => other > 0 && (errors === 1 || Math.max(length, other) >= TWO_ERRORS_MIN)
        )
        return sql`
      (select ${i}::int as n, known.word from unnest(${lengths}::int[]) letters, unnest(${beginnings}::text[]) part, lateral (
         select known.word from search_words known where known.workspace = ${workspace} and length(known.word) = letters
           and known.word >= part collate "C" and known.word < (part || ${LAST}) collate "C" offset 0) known
       union
       select ${i}::int, known.word from unnest(${lengths}::int[]) letters, unnest(${endings}::text[]) part, lateral (
         select known.word from search_words known where known.workspace = ${workspace} and length(known.word) = letters
           and reverse(known.word) >= part collate "C" and reverse(known.word) < (part || ${LAST}) collate "C" offset 0) known)`
      }),
      sql` union all `
    )}`
  )
  const near = rows
    .map(({ n, word }) => ({ word, text: (letters[n] as Word).text }))
    .filter(
      ({ word, text }) =>
        word !== text && errorsForgiven(text, word) >= errors && editDistance(text, word, errors) === errors
    )
  for (const { word, text } of near) found.get(text)?.near.push(wordTerm(hash, word))
  return near.length > 0
}

/**
 * Adds the words of a query in the other number, `error` for `errors`. No round trip. @returns the spellings with them,
 * undefined where there are none
 */
export function withOtherNumbers(
  hash: TermHash,
  words: readonly Word[],
  spellings: Map<string, Spellings>
): Map<string, Spellings> | undefined {
  const found = new Map(spellings)
  let some = false
  for (const { kind, text } of words) {
    const others = kind === 'word' ? otherNumbers(text) : []
    if (others.length === 0) continue
    some = true
    const { starts, inside, near } = spellings.get(text) ?? { starts: [wordTerm(hash, text)], inside: [], near: [] }
    found.set(text, { starts, inside, near: [...near, ...others.map(other => wordTerm(hash, other))] })
  }
  return some ? found : undefined
}

/** After all others, byte by byte. */
const LAST = '\u{10FFFF}'
