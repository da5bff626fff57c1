import { editDistance } from '../kernel/edit-distance.js'
import { errorsForgiven } from './edits.js'
import { isFunctionWord } from './function-words.js'
import { BESIDE, lengthened } from './norms.js'
import { holdsPhrase, type Query, type Unit } from './query.js'
import type { Rarity } from './rarity.js'
import type { Spelt } from './spellings.js'
import { ENGLISH, languageOf, stem } from './stems.js'
import { COMPOUND, hasDigit, stemsOf, unaccented } from './terms.js'

/**
 * The score of a message, 0–100. The exact phrase is 100. Else the words of the query count by how rare they are,
 * each by how well it stands in the text (0–1); what they come to is the coverage, 0–1.
 *
 * A query of keywords: 100 · (0.99 · (0.35 · similarity + 0.65 · coverage)) ^ 0.55, if no word lacks. A sentence:
 * 100 · (0.99 · (0.1 · similarity + 0.9 · 0.8 · coverage')) ^ 0.43, where coverage' is lessened by length and has
 * something of the messages beside it. The exponents put 60 where a person would say yes: in keywords with a typing
 * error, and in questions at two fifths of what is rare (bench/search/questions.ts).
 */
const NOT_EXACT = 0.99
const KEYWORDS = { similarity: 0.35, coverage: 0.65, exponent: 0.55 }
const SENTENCE = { similarity: 0.1, coverage: 0.72, exponent: 0.43 }

/** What lacks a word of the query, or an identifier of a question, stays below 60 and keeps its order there. */
const LACKING = 0.59

/** How well a word is met: as itself or at a word's start, in another form, inside a word, in a misspelt identifier. */
const AS_TYPED = 1
const OTHER_FORM = 0.9
const INSIDE = 0.85
const MISSPELT_IDENTIFIER = 0.6

/** Shorter query words inside other words say nothing (`art` in `start`). */
const INSIDE_MIN = 4
/** Characters and different words of one text that are compared. */
const TEXT_MAX = 100_000
const TOKENS_MAX = 20_000

/** What is scored: each text in lower case, its accents composed, its white space single spaces (texts.ts). */
export interface Scorable {
  texts: readonly string[]
  /** pg_trgm's word_similarity of the whole query and the beginning of the text, 0–1. */
  similarity: number
  /** How long the text is beside the others that were found: 1 is their mean. */
  length: number
  /** What the messages before and after it weigh, as shares of the query's weight, together. */
  beside: number
}

export interface Scored {
  score: number
  /** How well each unit of the query is met, 0–1. */
  met: number[]
}

/**
 * Scores the candidates of one query. How a word of the query is met by a word of a text is worked out once, however
 * many texts have that word.
 */
export function scorer(
  query: Query,
  { counts, weights }: Pick<Rarity, 'counts' | 'weights'>,
  spelt: Spelt = new Map()
): (candidate: Scorable) => Scored {
  const known = query.units.map(() => new Map<string, number>())
  const total = weights.reduce((sum, weight) => sum + weight, 0)

  function worth(i: number, tokens: Tokens, text: string): number {
    const unit = query.units[i] as Unit
    const unknown = counts[i] === 0
    if (unit.standsIn !== undefined) {
      if (unit.standsIn(text)) return AS_TYPED
      const may_err = unit.parts !== undefined && (unknown || !hasDigit(unit.text))
      return may_err && isMisspelt(unit.parts as string[], text) ? MISSPELT_IDENTIFIER : 0
    }
    if (tokens.words.has(unit.text)) return AS_TYPED
    let best = [...unit.stems].some(stem => tokens.stems.has(stem)) ? OTHER_FORM : 0
    // A word that it may be a misspelling of, in another form.
    for (const { word, errors } of spelt.get(unit)?.[0] ?? [])
      if (errors > 0 && tokens.stems.has(stem(ENGLISH, word)))
        best = Math.max(best, OTHER_FORM * (1 - errors / unit.text.length))
    // In a sentence a known word is no part of another one: `car` is not meant by `career`.
    if (query.is_sentence && !unknown) return best
    const met = known[i] as Map<string, number>
    for (const token of tokens.words) {
      let here = met.get(token)
      if (here === undefined) met.set(token, (here = meets(unit.text, token)))
      if (here > best) best = here
      if (best === AS_TYPED) break
    }
    return best
  }

  return function score(candidate) {
    const { texts } = candidate
    const all = texts.join('\n').slice(0, TEXT_MAX)
    const tokens = tokensOf(all)
    const met = query.units.map((_, i) => worth(i, tokens, all))
    if (texts.some(text => holdsPhrase(query, text))) return { score: 100, met }
    const coverage = met.reduce((sum, one, i) => sum + one * (weights[i] as number), 0) / total
    const lacks = met.some((one, i) => one === 0 && (!query.is_sentence || query.units[i]?.kind === 'identifier'))
    const normed = coverage / lengthened(candidate.length) + BESIDE * candidate.beside
    const figure = (of: typeof KEYWORDS, share: number) =>
      100 * (NOT_EXACT * (of.similarity * candidate.similarity + of.coverage * share)) ** of.exponent
    const score =
      coverage === 0
        ? 0
        : query.is_sentence || lacks
          ? figure(SENTENCE, Math.min(1, normed))
          : figure(KEYWORDS, coverage)
    return { score: Math.round((lacks ? LACKING : 1) * Math.min(score, 99.99) * 100) / 100, met }
  }
}

interface Tokens {
  words: Set<string>
  stems: Set<string>
}

function tokensOf(text: string): Tokens {
  const words = new Set<string>()
  for (const [word] of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    words.add(word)
    if (words.size === TOKENS_MAX) break
  }
  const all = [...words]
  const language = languageOf(all)
  const telling = all.filter(word => !isFunctionWord(word))
  return { words, stems: new Set(telling.slice(0, STEMMED_MAX).flatMap(word => stemsOf(word, language))) }
}
/** Stemming takes a while where all words are new; beyond these only words as they are typed count. */
const STEMMED_MAX = 2000

/** How well a word of the query is met by a word of a text, 0 where it is not. */
function meets(word: string, token: string): number {
  if (token.startsWith(word)) return AS_TYPED
  const inside = word.length >= INSIDE_MIN && token.includes(word) ? INSIDE : 0
  const errors = errorsForgiven(word, token)
  const distance = errors === 0 ? Infinity : editDistance(word, token, errors)
  const near = distance <= errors ? 1 - distance / word.length : 0
  return Math.max(inside, near, /[^\u0000-\u007f]/.test(token) && unaccented(token).startsWith(word) ? AS_TYPED : 0)
}

/** Letters of a part of an identifier that may err, from so many on; shorter parts must be as given. */
const PART_MIN = 3
/**
 * Parts that must be as given for a short one to err: `llama-v-pro` is `llama-v2-pro`, but worker-b is not worker-c.
 */
const OTHER_PARTS_MIN = 2

/** Whether an identifier of as many parts stands in a text, each with its digits as given and a letter or two wrong. */
function isMisspelt(parts: readonly string[], text: string): boolean {
  for (const [compound] of text.matchAll(COMPOUND)) {
    const others = compound.split(/[-_.]/)
    if (others.length !== parts.length) continue
    const same = parts.filter((part, i) => part === others[i]).length
    if (parts.every((part, i) => mayBe(part, others[i] as string, same >= OTHER_PARTS_MIN))) return true
  }
  return false
}

function mayBe(part: string, other: string, short_may_err: boolean): boolean {
  if (part === other) return true
  const digits = (text: string) => text.replace(/\P{N}/gu, '')
  if (part.length < PART_MIN) return short_may_err && digits(part) === '' && editDistance(part, other, 1) <= 1
  return (
    digits(part) === digits(other) &&
    editDistance(part, other, Math.max(1, errorsForgiven(part, other))) <= Math.max(1, errorsForgiven(part, other))
  )
}
