import { mayHaveErrors } from './edits.js'
import { functionWordsOf, isFunctionWord, isQuestion } from './function-words.js'
import { ENGLISH, languageOf, languagesOfWord, stem } from './stems.js'
import {
  CJK_RUN,
  cjkTerm,
  COMPOUND,
  COMPOUND_PARTS_MAX,
  compoundTerm,
  FUNCTION_RUN,
  functionRunTerm,
  hasDigit,
  HASH_START_MAX,
  HASH_START_MIN,
  hashStartTerm,
  isIdentifier,
  isStemmed,
  lower,
  normal,
  stemsOf,
  symbolTerm,
  wordTerm
} from './terms.js'
import type { TermHash } from './term-hash.js'

/** A search query taken apart: the phrase as a whole, and the words that count. */
export interface Query {
  /** Trimmed, its white space single spaces, in lower case. */
  phrase: string
  units: Unit[]
  /**
   * A question or a sentence: a message answers it that has most of what is rare in it. Of a query in keywords it must
   * have every word.
   */
  is_sentence: boolean
  /** Terms of the function words that stand side by side, where there is nothing else to look for. */
  function_runs: number[]
  /** What its terms are made by. */
  hash: TermHash
}

/** One word of a query, or what counts as one. */
export interface Unit {
  text: string
  /**
   * A `word` may be spelt in other ways. Everything else must be there as given: identifiers (what joins parts and has
   * a digit, and `worker-b`), numbers (one part with a digit), CJK text, and symbols.
   */
  kind: 'word' | 'identifier' | 'number' | 'cjk' | 'symbol'
  /** Sets of terms: a message must have one of each set. Empty: the index has no such terms. */
  terms: number[][]
  /** A word's stems in the languages it may be in. */
  stems: Set<string>
  /** Whether it stands in a text in lower case; words are compared with a text's words instead (score.ts). */
  standsIn?: (text: string) => boolean
  /** Parts of an identifier, as words of their own: for those that are misspelt. */
  parts?: string[]
}

/** Fewer words say too little for one of them to be lacking: in a question, in a sentence, in a list of words. */
const QUESTION_MIN = 2
const SENTENCE_MIN = 3
const LIST_MIN = 5

/** Most words of a query that count. */
const WORDS_MAX = 16

const PICTURE = /\p{Extended_Pictographic}/gu

/**
 * The start of a UUID or a hash: there the end is open. Six hexadecimal digits are seldom anything else; where they are
 * all decimal, see `goesOn`.
 */
const HASH_START = /^(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]*)*$/

export function parseQuery(hash: TermHash, text: string): Query {
  const phrase = lower(
    normal(text)
      .replace(/[ \t\r\n]+/g, ' ')
      .trim()
  )
  const units = new Map<string, Unit>()
  for (const [run] of phrase.matchAll(CJK_RUN))
    units.set(run, {
      text: run,
      kind: 'cjk',
      standsIn: text => text.includes(run),
      terms: cjkTerms(hash, run),
      stems: new Set()
    })
  const compounds = phrase.replaceAll(CJK_RUN, ' ').match(COMPOUND) ?? []
  const languages = [languageOf(compounds)]
  for (const compound of compounds) {
    const parts = compound.split(/[-_.]/)
    if (isIdentifier(compound)) units.set(compound, identifier(hash, compound, parts))
    else for (const part of parts) units.set(part, word(hash, part, languages))
  }
  // A picture says something beside words too; other symbols only where there is nothing else.
  for (const symbol of units.size === 0 ? phrase.replace(/[ \p{M}]/gu, '') : (phrase.match(PICTURE) ?? []))
    units.set(symbol, {
      text: symbol,
      kind: 'symbol',
      standsIn: text => text.includes(symbol),
      terms: /[.,:;'"!?()/_-]/.test(symbol) ? [] : [[symbolTerm(hash, symbol)]],
      stems: new Set()
    })
  const all = [...units.values()]
  const saysNothing = functionWordsOf(phrase)
  const telling = all.filter(unit => unit.kind !== 'word' || !saysNothing(unit.text))
  const kept = (telling.length > 0 ? telling : all).slice(0, WORDS_MAX)
  const words = kept.filter(({ kind }) => kind === 'word' || kind === 'number').length
  return {
    phrase,
    units: kept,
    is_sentence:
      words >= LIST_MIN ||
      (isQuestion(phrase) && words >= QUESTION_MIN) ||
      (telling.length < all.length && words >= SENTENCE_MIN),
    function_runs: telling.length > 0 ? [] : functionRuns(hash, compounds),
    hash
  }
}

function word(hash: TermHash, text: string, languages: readonly string[]): Unit {
  const stems = new Set([
    ...languages.flatMap(language => stemsOf(text, language)),
    ...languagesOfWord(text).map(language => stem(language, text))
  ])
  // Function words are no terms (terms.ts).
  const terms = isFunctionWord(text) ? [] : [[...new Set([...stems, text])].map(form => wordTerm(hash, form))]
  return { text, kind: 'word', stems, terms }
}

function functionRuns(hash: TermHash, words: readonly string[]): number[] {
  if (!words.every(isFunctionWord)) return []
  return words.slice(FUNCTION_RUN - 1).map((_, i) => functionRunTerm(hash, words.slice(i, i + FUNCTION_RUN)))
}

function cjkTerms(hash: TermHash, run: string): number[][] {
  if (run.length === 1) return [[cjkTerm(hash, run)]]
  return Array.from({ length: run.length - 1 }, (_, i) => [cjkTerm(hash, run.slice(i, i + 2))])
}

function identifier(hash: TermHash, compound: string, parts: string[]): Unit {
  return {
    text: compound,
    kind: parts.length > 1 ? 'identifier' : 'number',
    standsIn: text => stands(text, compound),
    terms: identifierTerms(hash, compound, parts),
    stems: new Set(),
    ...(parts.length > 1 && !HASH_START.test(compound) && { parts: parts.filter(part => part !== '') })
  }
}

/** Parts of fewer letters, of an identifier without digits, are only looked for in the text. */
const WHOLE_MIN = 3

function identifierTerms(hash: TermHash, compound: string, parts: string[]): number[][] {
  const [head = ''] = parts
  if (HASH_START.test(compound)) {
    // The beginning of a UUID or a hash: its first group, whole or begun.
    const begun = head.length >= HASH_START_MIN ? [hashStartTerm(hash, head.slice(0, HASH_START_MAX))] : []
    return [[wordTerm(hash, head), ...begun]]
  }
  if (parts.length === 1) return [[wordTerm(hash, head)]]
  // The b of `worker-b` may go on, as the beginning of a phrase may: the text decides.
  const whole = parts.filter(part => !hasDigit(part) && part.length >= WHOLE_MIN)
  if (!hasDigit(compound) && whole.length > 0)
    return whole.map(part => stemsOf(part, ENGLISH).map(form => wordTerm(hash, form)))
  const length = Math.min(COMPOUND_PARTS_MAX, parts.length)
  return Array.from({ length: parts.length - length + 1 }, (_, from) => parts.slice(from, from + length))
    .filter(run => isIdentifier(run.join('-')))
    .map(run => [compoundTerm(hash, run)])
}

/**
 * Terms of the words that a misspelt identifier is made of, a set for each part; none for a part of letters that is too
 * short to be looked up by its spellings.
 */
export function partTerms(hash: TermHash, { parts = [] }: Unit): number[][] {
  return parts.map(part => {
    if (!isStemmed(part)) return [wordTerm(hash, part)]
    return mayHaveErrors(part, 1) ? stemsOf(part, ENGLISH).map(form => wordTerm(hash, form)) : []
  })
}

/** Whether the phrase stands in a text: in lower case, its accents composed, its white space single spaces. */
export function holdsPhrase({ phrase }: Query, text: string): boolean {
  return stands(text, phrase)
}

/**
 * Whether something stands in a text. Where it begins or ends in an identifier, the text must not go on there: worker-1
 * is not in worker-10. Scripts without spaces end a word where they begin: `GPT4モデル`.
 */
function stands(text: string, part: string): boolean {
  const first = /^[\p{L}\p{N}\p{M}_.-]*/u.exec(part)?.[0] ?? ''
  const last = /[\p{L}\p{N}\p{M}_.-]*$/u.exec(part)?.[0] ?? ''
  const bounded = [hasDigit(first), hasDigit(last)]
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    const before = bounded[0] === true && LETTER_BEFORE.test(text.slice(Math.max(0, at - 2), at))
    const after = bounded[1] === true && goesOn(last, text.slice(at + part.length, at + part.length + REST_MAX))
    if (!before && !after) return true
  }
  return false
}

const REST_MAX = 64
const NO_CJK_LETTER = '[[\\p{L}\\p{N}]--[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}]]'
const LETTER_BEFORE = new RegExp(`${NO_CJK_LETTER}$`, 'v')
const LETTER_AFTER = new RegExp(`^${NO_CJK_LETTER}`, 'v')

/**
 * Whether a text goes on after an identifier so that it is another one. A hash or a UUID may go on as it likes, a
 * number only into a hash, so that 100000 is not in 10000012.
 */
function goesOn(identifier: string, rest: string): boolean {
  if (!HASH_START.test(identifier)) return LETTER_AFTER.test(rest)
  if (/[a-f]/.test(identifier)) return false
  return LETTER_AFTER.test(rest.replace(/^[0-9]*[a-f][0-9a-f]*/, ''))
}
