import { functionWordsOf, isQuestion } from './function-words.js'
import {
  CJK_RUN,
  cjkTerm,
  COMPOUND,
  COMPOUND_PARTS_MAX,
  compoundTerm,
  hasDigit,
  HASH_START_MAX,
  HASH_START_MIN,
  hashStartTerm,
  lower,
  normal,
  pairTerm,
  RUN,
  symbolTerm,
  wordTerm
} from './terms.js'
import type { TermHash } from './term-hash.js'

/** A search query taken apart: the phrase as a whole, and its words. */
export interface Query {
  /** Trimmed, its white space single spaces, in the case it came in: PostgreSQL lowers it as it lowers the texts. */
  phrase: string
  /**
   * The phrase as a PostgreSQL regular expression where it begins or ends in an identifier, else undefined: a plain
   * substring will do.
   */
  phrase_pattern: string | undefined
  words: Word[]
  /** A question in plain words: it may be answered by a message that lacks one of them, if none has all. */
  is_question: boolean
  /** Terms of neighbouring words, for the phrase as written with whole words. */
  pairs: number[]
  /** Without the first and the last word: `deploy to prod` stands in "redeploy to production" too. */
  inner_pairs: number[]
  /** What its terms are made by, for those that are looked up on its way. */
  hash: TermHash
}

export interface Word {
  text: string
  /**
   * A `word` may be spelt in other ways; what it stands for is looked up in the vocabulary (vocabulary.ts). Everything
   * else must be there as given: identifiers (anything with a digit, and `worker-b`), CJK text, and symbols where a
   * query has nothing else.
   */
  kind: 'word' | 'identifier' | 'cjk' | 'symbol'
  /** A part of `worker-beta`: every part counts. */
  in_compound?: boolean
  /** Finds an identifier, as a PostgreSQL regular expression. */
  pattern?: string
  /** Finds the word in a lower-cased text; plain words have none, which rank.ts compares with a text's words. */
  standsIn?: (text: string) => boolean
  /** Sets of terms: of each set a message must have one. */
  required: number[][]
}

/** Plain words that a question must have for one of them to be lacking in its answer. */
const QUESTION_MIN = 3

/** Parts of a compound up to so many letters name something only together with their neighbours. */
const SHORT_PART_MAX = 2

/** Most words of a query that count. */
const WORDS_MAX = 12

const PICTURE = /\p{Extended_Pictographic}/gu

/**
 * The start of a UUID or a hash: there the end is open. Six hexadecimal digits are seldom anything else; where they are
 * all decimal, see `openEnd`.
 */
const HASH_START = /^(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]*)*$/

export function parseQuery(hash: TermHash, text: string): Query {
  const written = normal(text)
    .replace(/[ \t\r\n]+/g, ' ')
    .trim()
  const phrase = lower(written)
  const words = new Map<string, Word>()
  for (const [run] of phrase.matchAll(CJK_RUN))
    words.set(run, { text: run, kind: 'cjk', standsIn: text => text.includes(run), required: cjkTerms(hash, run) })
  for (const [compound] of phrase.replaceAll(CJK_RUN, ' ').matchAll(COMPOUND)) {
    if (hasDigit(compound) || endsShort(compound))
      words.set(compound, {
        text: compound,
        kind: 'identifier',
        pattern: bounded(compound, compound, compound),
        standsIn: identifierIn(compound),
        required: identifierTerms(hash, compound)
      })
    else {
      const parts = compound.split(/[-_.]/)
      for (const part of parts)
        words.set(part, {
          text: part,
          kind: 'word',
          in_compound: parts.length > 1 || words.get(part)?.in_compound === true,
          required: [[wordTerm(hash, part)]]
        })
    }
  }
  // A picture says something beside words too; other symbols only where there is nothing else.
  for (const symbol of words.size === 0 ? phrase.replace(/[ \p{M}]/gu, '') : (phrase.match(PICTURE) ?? []))
    words.set(symbol, {
      text: symbol,
      kind: 'symbol',
      standsIn: text => text.includes(symbol),
      required: [[symbolTerm(hash, symbol)]]
    })
  const first = /^[\p{L}\p{N}\p{M}_.-]*/u.exec(phrase)?.[0] ?? ''
  const last = /[\p{L}\p{N}\p{M}_.-]*$/u.exec(phrase)?.[0] ?? ''
  const kept = telling(phrase, [...words.values()]).slice(0, WORDS_MAX)
  return {
    phrase: written,
    phrase_pattern: hasDigit(first) || hasDigit(last) ? bounded(phrase, first, last) : undefined,
    words: kept,
    is_question:
      isQuestion(phrase) &&
      kept.every(word => word.kind === 'word' && word.in_compound !== true) &&
      kept.length >= QUESTION_MIN,
    hash,
    ...pairsOf(hash, phrase)
  }
}

/** The b of `worker-b` begins half the words there are: it has to stand where it stands, like a digit. */
function endsShort(compound: string): boolean {
  const parts = compound.split(/[-_.]/)
  return parts.length > 1 && parts.some(part => part.length <= SHORT_PART_MAX)
}

/** The words that say what is looked for: without function words, unless there are no others. */
function telling(phrase: string, words: Word[]): Word[] {
  const isFunctionWord = functionWordsOf(phrase)
  const others = words.filter(word => word.kind !== 'word' || word.in_compound === true || !isFunctionWord(word.text))
  return others.length > 0 ? others : words
}

function pairsOf(hash: TermHash, phrase: string): Pick<Query, 'pairs' | 'inner_pairs'> {
  // Neighbours in scripts without spaces are terms of their own.
  if (phrase.search(CJK_RUN) !== -1) return { pairs: [], inner_pairs: [] }
  const runs = (phrase.match(RUN) ?? []).slice(0, WORDS_MAX)
  const pairs = runs.slice(1).map((run, i) => pairTerm(hash, runs[i] as string, run))
  // A UUID's or a hash's start is no whole word: it has no pair.
  return { pairs: HASH_START.test(runs.at(-1) ?? '') ? pairs.slice(0, -1) : pairs, inner_pairs: pairs.slice(1, -1) }
}

function cjkTerms(hash: TermHash, run: string): number[][] {
  if (run.length === 1) return [[cjkTerm(hash, run)]]
  return Array.from({ length: run.length - 1 }, (_, i) => [cjkTerm(hash, run.slice(i, i + 2))])
}

function identifierTerms(hash: TermHash, compound: string): number[][] {
  const parts = compound.split(/[-_.]/)
  const [head = ''] = parts
  if (HASH_START.test(compound)) {
    // The beginning of a UUID or a hash: its first group, whole or begun.
    const begun = head.length >= HASH_START_MIN ? [hashStartTerm(hash, head.slice(0, HASH_START_MAX))] : []
    return [[wordTerm(hash, head), ...begun]]
  }
  if (parts.length === 1) return [[wordTerm(hash, head)]]
  const length = Math.min(COMPOUND_PARTS_MAX, parts.length)
  return Array.from({ length: parts.length - length + 1 }, (_, from) => [
    compoundTerm(hash, parts.slice(from, from + length))
  ])
}

function identifierIn(identifier: string): (text: string) => boolean {
  // Letters, digits and what joins them: only the dot means something else in a regular expression.
  const escaped = identifier.replaceAll('.', '\\.')
  const goesOn = '[[\\p{L}\\p{N}]--[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}]]'
  const pattern = new RegExp(`(?<!${goesOn})${escaped}${openEnd(identifier)}(?!${goesOn})`, 'v')
  return text => pattern.test(text)
}

/**
 * Han, Hiragana, Katakana and Hangul, for PostgreSQL: words of these scripts are written without spaces, so an
 * identifier ends where they begin.
 */
const CJK_LETTER =
  '[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]'

/**
 * A text that must not go on in letters or digits where it begins or ends in an identifier: `worker-1` is not in
 * `worker-10`.
 */
function bounded(text: string, first: string, last: string): string {
  const before = hasDigit(first) ? `((?<=${CJK_LETTER})|(?<![[:alnum:]]))` : ''
  const after = hasDigit(last) ? `${openEnd(last)}((?=${CJK_LETTER})|(?![[:alnum:]]))` : ''
  return `${before}${escapePattern(text)}${after}`
}

/**
 * How an identifier may go on, as a regular expression: a hash or a UUID as it likes, a number only into a hash, so
 * that 100000 is not in 10000012.
 */
function openEnd(identifier: string): string {
  if (!HASH_START.test(identifier)) return ''
  return /[a-f]/.test(identifier) ? '\\w*' : '([0-9]*[a-f][0-9a-f]*)?'
}

/** A text as a PostgreSQL regular expression (ARE) that matches just itself. */
function escapePattern(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{M}\s]/gu, char => ((char.codePointAt(0) as number) < 128 ? `\\${char}` : char))
}
