import { WORD_MAX } from './terms.js'

/** Typing errors: one letter left out, added, exchanged, or two neighbours swapped. */

/** Words of fewer letters have another word one letter away. */
const ONE_ERROR_MIN = 4
/** Words of so many letters are forgiven two errors. */
export const TWO_ERRORS_MIN = 7
/** A word of TWO_ERRORS_MIN letters may have lost two of them. */
const TWO_ERRORS_TYPED_MIN = TWO_ERRORS_MIN - 2
/**
 * How many typing errors a word may be away from another to count as a misspelling of it: none in short ones, where
 * another word is one letter away.
 */
export function errorsForgiven(typed: string, word: string): number {
  const letters = Math.max(typed.length, word.length)
  if (letters > WORD_MAX) return 0
  return letters < ONE_ERROR_MIN || typed.length < ONE_ERROR_MIN
    ? 0
    : letters < TWO_ERRORS_MIN || typed.length < TWO_ERRORS_TYPED_MIN
      ? 1
      : 2
}

/** Whether a word of the query can be misspelt so at all. */
export function mayHaveErrors(typed: string, errors: 1 | 2): boolean {
  return typed.length <= WORD_MAX && typed.length >= (errors === 1 ? ONE_ERROR_MIN : TWO_ERRORS_TYPED_MIN)
}

export interface Halves {
  beginnings: string[]
  /** Read backwards, as the index has them. */
  endings: string[]
}

/**
 * How every word begins, or else ends, that is at most so many errors away: of one error there is none in one of the
 * halves, of two at most one. (Two letters swapped across the middle are one wrong letter in each.) No beginning begins
 * with another, no ending ends with another.
 */
export function halvesOf(word: string, errors: 1 | 2): Halves {
  const letters = [...word]
  const middle = Math.ceil(letters.length / 2)
  const beginning = letters.slice(0, middle).join('')
  const ending = reversed(letters.slice(middle).join(''))
  if (errors === 1) {
    const swapped = letters.slice(0, middle - 1).join('') + (letters[middle] ?? '')
    return { beginnings: shortest([beginning, swapped]), endings: [ending] }
  }
  return { beginnings: shortest(withOneError(beginning)), endings: shortest(withOneError(ending)) }
}

/**
 * Pieces of a word of which, however it is misspelt, at least one stands in it: of a short word its halves, of a longer
 * one thirds. (Only two errors one of which swaps letters of two thirds may leave none.)
 */
export function piecesOf(word: string): string[] {
  const letters = [...word]
  if (!mayHaveErrors(word, 1)) return []
  if (letters.length < TWO_ERRORS_MIN) {
    const { beginnings, endings } = halvesOf(word, 1)
    return [...beginnings, ...endings.map(reversed)]
  }
  const [first, second] = [Math.ceil(letters.length / 3), Math.ceil((2 * letters.length) / 3)]
  return [letters.slice(0, first), letters.slice(first, second), letters.slice(second)].map(piece => piece.join(''))
}

/** A part of a word, and it with one error anywhere. */
function withOneError(part: string): string[] {
  const found = [part]
  const letters = alphabetOf(part)
  for (let i = 0; i <= part.length; i++) {
    const [before, after] = [part.slice(0, i), part.slice(i)]
    if (after.length > 0) found.push(before + after.slice(1))
    if (after.length > 1) found.push(before + after.charAt(1) + after.charAt(0) + after.slice(2))
    for (const letter of letters) {
      found.push(before + letter + after)
      if (after.length > 0) found.push(before + letter + after.slice(1))
    }
  }
  return found.filter(text => text !== '')
}

/** Without those that begin with another of them. */
function shortest(parts: string[]): string[] {
  const kept: string[] = []
  for (const part of [...new Set(parts)].sort())
    if (kept.length === 0 || !part.startsWith(kept.at(-1) as string)) kept.push(part)
  return kept
}

function reversed(text: string): string {
  return [...text].reverse().join('')
}

/**
 * The letters that are tried in place of another, by the alphabet a part is written in. Parts in any other are tried
 * with those of English, and so are those with ß, ł or ø: there an error of a letter that English lacks is found by
 * the other half alone.
 */
const ALPHABETS: Array<[script: RegExp, letters: string]> = [
  [/\p{sc=Cyrillic}/u, 'абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ'],
  [/\p{sc=Greek}/u, 'αβγδεζηθικλμνξοπρσςτυφχψω']
]

function alphabetOf(word: string): string {
  return ALPHABETS.find(([script]) => script.test(word))?.[1] ?? 'abcdefghijklmnopqrstuvwxyz'
}
