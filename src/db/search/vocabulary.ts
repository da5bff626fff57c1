import { sql } from 'kysely'
import { editDistance } from '../../core/edit-distance.js'
import { likePattern } from '../like.js'
import type { Db } from '../schema.js'
import { halvesOf, reversed } from './edits.js'
import type { Word } from './query.js'
import { WORD_MAX, wordTerm } from './terms.js'

/**
 * The words of a workspace that a query word may stand for. What is found here decides only where is looked: whether a
 * message is a result, and its score, is judged on the message (rank.ts). Words of messages that the viewer cannot see are
 * among them, so no list is cut short, and how long one is decides nothing but what the search costs.
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
/** A word that stands in so many of the newest messages is a common one. It narrows little, and has spellings by the thousand. */
const COMMON_MIN = 10
/** Words of fewer letters have another word one letter away. */
const ONE_ERROR_MIN = 4
/** Words of so many letters are forgiven two errors. */
const TWO_ERRORS_MIN = 7
/** A word of TWO_ERRORS_MIN letters may have lost two of them. */
const TWO_ERRORS_TYPED_MIN = TWO_ERRORS_MIN - 2
/** How many typing errors a word may be away from another to count as a misspelling of it: none in short ones, where another word is one letter away. */
export function errorsForgiven (typed: string, word: string): number {
  const letters = Math.max(typed.length, word.length)
  if (letters > WORD_MAX) return 0
  return letters < ONE_ERROR_MIN || typed.length < ONE_ERROR_MIN ? 0 : letters < TWO_ERRORS_MIN || typed.length < TWO_ERRORS_TYPED_MIN ? 1 : 2
}

/**
 * Whether a word is looked for in all its spellings: not a short one, nor a common one. Beside others these are judged on the
 * messages that the others bring; alone they are looked for as they are written, and among the newest messages. (Measured: of
 * 790 000 words, mostly identifiers, 41 000 hold `load` and 25 000 `error`. GIN takes 4 s for 1200 words, 17 s for 3200.)
 * @param holding how many of the newest messages hold it, of those that the viewer may see
 */
export function isSpeltOut ({ kind, text }: Word, holding: number): boolean {
  return kind === 'word' && text.length >= SPELT_OUT_MIN && holding < COMMON_MIN
}

/** The words as they are typed, also as parts of longer ones. One round trip. */
export async function typed (db: Db, workspace: string, letters: readonly Word[]): Promise<Map<string, Spellings>> {
  const found = new Map<string, Spellings>()
  if (letters.length === 0) return found
  const parts = letters.map(({ text }, i) => sql`(select ${i}::int as n, word from search_words where workspace = ${workspace} and word like ${likePattern(text)})`)
  const { rows } = await sql<{ n: number, word: string }>`${sql.join(parts, sql` union all `)}`.execute(db)
  for (const { text } of letters) found.set(text, { starts: [wordTerm(text)], inside: [], near: [] })
  for (const { n, word } of rows) {
    const { text } = letters[n] as Word
    const spellings = found.get(text) as Spellings
    if (word !== text) (word.startsWith(text) ? spellings.starts : spellings.inside).push(wordTerm(word))
  }
  return found
}

/**
 * Adds the words a query word may be with so many typing errors: those of about its length that begin or end as it would then,
 * compared letter by letter. One round trip. Measured over 400 000 words: one error by trying all its about 450 spellings 5 ms
 * a word, by halves 1 ms; two errors by the trigrams they can leave (`word % …` at similarity 0.14) 200–800 ms, by halves 10 ms.
 */
export async function addMisspelt (db: Db, workspace: string, words: readonly Word[], errors: 1 | 2, found: Map<string, Spellings>): Promise<void> {
  const letters = words.filter(word => found.has(word.text) && mayHave(errors, word))
  if (letters.length === 0) return
  const { rows } = await sql<{ n: number, word: string }>`${sql.join(letters.map(({ text }, i) => {
    const { beginnings, endings } = halvesOf(text, errors)
    const typed = [...text].length
    const lengths = Array.from({ length: 2 * errors + 1 }, (_, more) => typed - errors + more).filter(length => length > 0 && (errors === 1 || Math.max(typed, length) >= TWO_ERRORS_MIN))
    return sql`
      (select ${i}::int as n, known.word from unnest(${lengths}::int[]) letters, unnest(${beginnings}::text[]) part, lateral (
         select known.word from search_words known where known.workspace = ${workspace} and length(known.word) = letters
           and known.word >= part collate "C" and known.word < (part || ${LAST}) collate "C" offset 0) known
       union
       select ${i}::int, known.word from unnest(${lengths}::int[]) letters, unnest(${endings.map(reversed)}::text[]) part, lateral (
         select known.word from search_words known where known.workspace = ${workspace} and length(known.word) = letters
           and reverse(known.word) >= part collate "C" and reverse(known.word) < (part || ${LAST}) collate "C" offset 0) known)`
  }), sql` union all `)}`.execute(db)
  for (const { n, word } of rows) {
    const { text } = letters[n] as Word
    if (word !== text && errorsForgiven(text, word) >= errors && editDistance(text, word, errors) === errors) found.get(text)?.near.push(wordTerm(word))
  }
}

/** Whether a word of the query can be a misspelt one at all. */
export function mayHave (errors: 1 | 2, { kind, text }: Word): boolean {
  return kind === 'word' && text.length <= WORD_MAX && text.length >= (errors === 1 ? ONE_ERROR_MIN : TWO_ERRORS_TYPED_MIN)
}

/** After all others, byte by byte. */
const LAST = '\u{10FFFF}'
