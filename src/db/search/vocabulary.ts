import { sql } from 'kysely'
import { editDistance } from '../../core/edit-distance.js'
import { likePattern } from '../like.js'
import type { Db } from '../schema.js'
import { oneEditAway } from './edits.js'
import type { Word } from './query.js'
import { WORD_MAX, wordTerm } from './terms.js'

/**
 * The words of a workspace that a query word may stand for. What is found here decides only where is looked: whether a
 * message is a result, and its score, is judged on the message (rank.ts). So no list is cut short, which would depend on words
 * the viewer cannot see: where one is too long, nothing is narrowed by it.
 */
export interface Spellings {
  /** The word itself and those that begin with it. */
  starts: number[]
  /** Those that hold it elsewhere. */
  inside: number[]
  /** Those it may be a misspelling of. */
  near: number[]
  /** There are too many to look for them. */
  many: boolean
}

/** pg_trgm can look a part of a word up from three letters on; shorter ones are looked up as beginnings. */
const INSIDE_MIN = 3
/** Words of fewer letters have another word one letter away. */
const ONE_ERROR_MIN = 4
/** Words of so many letters are forgiven two errors. */
const TWO_ERRORS_MIN = 7
/** A word of TWO_ERRORS_MIN letters may have lost two of them. */
const TWO_ERRORS_TYPED_MIN = TWO_ERRORS_MIN - 2
/** Two errors can leave two of the eight trigrams of seven letters: 2 / (8 + 8 − 2). */
const TWO_ERRORS_SIMILARITY = 0.14
/**
 * With more spellings than this, a word narrows too little for what comparing them costs: it is left out of the looking up
 * (`Spellings.many`) and only judged on what the other words bring.
 */
const SPELLINGS_MAX = 100

/** How many typing errors a word may be away from another to count as a misspelling of it: none in short ones, where another word is one letter away. */
export function errorsForgiven (typed: string, word: string): number {
  const letters = Math.max(typed.length, word.length)
  if (letters > WORD_MAX) return 0
  return letters < ONE_ERROR_MIN || typed.length < ONE_ERROR_MIN ? 0 : letters < TWO_ERRORS_MIN || typed.length < TWO_ERRORS_TYPED_MIN ? 1 : 2
}

/** The words as they are typed, also as parts of longer ones. One round trip. */
export async function typed (db: Db, workspace: string, words: readonly Word[]): Promise<Map<string, Spellings>> {
  const found = new Map<string, Spellings>()
  const letters = words.filter(word => word.kind === 'word')
  if (letters.length === 0) return found
  const parts = letters.map(({ text }, i) => text.length >= INSIDE_MIN
    ? sql`(select ${i}::int as n, word from search_words where workspace = ${workspace} and word like ${likePattern(text)} limit ${SPELLINGS_MAX + 2})`
    : sql`(select ${i}::int as n, word from search_words where workspace = ${workspace} and word ~>=~ ${text} and word ~<~ ${after(text)} limit ${SPELLINGS_MAX + 2})`)
  const { rows } = await sql<{ n: number, word: string }>`${sql.join(parts, sql` union all `)}`.execute(db)
  for (const { text } of letters) found.set(text, { starts: [wordTerm(text)], inside: [], near: [], many: false })
  for (const { n, word } of rows) {
    const { text } = letters[n] as Word
    const spellings = found.get(text) as Spellings
    if (word !== text) (word.startsWith(text) ? spellings.starts : spellings.inside).push(wordTerm(word))
    spellings.many ||= spellings.starts.length + spellings.inside.length > SPELLINGS_MAX
  }
  return found
}

/** Adds the words a query word may be with one typing error. One round trip. */
export async function addOneErrorAway (db: Db, workspace: string, words: readonly Word[], found: Map<string, Spellings>): Promise<void> {
  const letters = words.filter(word => word.kind === 'word' && word.text.length >= ONE_ERROR_MIN && word.text.length <= WORD_MAX)
  if (letters.length === 0) return
  const { rows } = await sql<{ n: number, word: string }>`${sql.join(letters.map(({ text }, i) => sql`
    (select ${i}::int as n, word from search_words where workspace = ${workspace} and word = any(${oneEditAway(text)}::text[]))`), sql` union all `)}`.execute(db)
  for (const { n, word } of rows) found.get((letters[n] as Word).text)?.near.push(wordTerm(word))
}

/**
 * Adds the words a longer query word may be with two. To try them all would be a hundred thousand probes, so trigrams choose,
 * which costs more: the last resort. @returns whether there was any such word in the query
 */
export async function addTwoErrorsAway (db: Db, workspace: string, words: readonly Word[], found: Map<string, Spellings>): Promise<boolean> {
  const letters = words.filter(word => word.kind === 'word' && word.text.length >= TWO_ERRORS_TYPED_MIN && word.text.length <= WORD_MAX)
  if (letters.length === 0) return false
  const { rows } = await db.transaction().execute(async tx => {
    await sql`select set_config('pg_trgm.similarity_threshold', ${String(TWO_ERRORS_SIMILARITY)}, true)`.execute(tx)
    return sql<{ n: number, word: string }>`${sql.join(letters.map(({ text }, i) => sql`
      (select ${i}::int as n, word from search_words
       where workspace = ${workspace} and word % ${text} and length(word) between ${Math.max(TWO_ERRORS_MIN, text.length - 2)} and ${text.length + 2})`), sql` union all `)}`.execute(tx)
  })
  for (const { n, word } of rows) {
    const { text } = letters[n] as Word
    if (editDistance(text, word, 2) <= errorsForgiven(text, word)) found.get(text)?.near.push(wordTerm(word))
  }
  return true
}

/** The first text after all that begin with this one, byte by byte. */
function after (text: string): string {
  return `${text}\u{10FFFF}`
}
