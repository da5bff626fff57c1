import { editDistance } from '../kernel/edit-distance.js'
import { errorsForgiven } from './edits.js'
import { otherNumbers } from './other-number.js'
import type { Query } from './query.js'
import { lower, unaccented } from './terms.js'
import type { Candidate } from './texts.js'

/**
 * The score of a message, 0–100. An exact phrase is 100. Else
 *
 *   100 · (0.99 · (0.35 · phrase_similarity + 0.65 · coverage)) ^ 0.55
 *
 * where coverage is the mean over the query's words, weighted by their length, of how well each stands in the text. The
 * exponent puts 60 where a person would say yes: raw trigram figures are far lower (a swap of two letters halves them).
 */
const PHRASE_WEIGHT = 0.35
const COVERAGE_WEIGHT = 0.65
/** Keeps everything else below an exact phrase. */
const NOT_EXACT = 0.99
const CALIBRATION = 0.55

/**
 * How well a word is met: as a word of its own or at a word's start, or inside a word. A misspelt one loses by its
 * share of errors.
 */
export const WORD_START = 1
export const INSIDE = 0.85
/**
 * What a misspelt word is worth about, where only the index is asked; and one in the other number, `query` for
 * `queries`.
 */
export const MISSPELT = 0.8

/** Shorter query words inside other words say nothing (`art` in `start`). */
const INSIDE_MIN = 4

/**
 * A message that lacks a word of the query stays below 60 (but for a question, see `missing`), whatever the rest of it
 * scores: a worker that looks for "TASK ASSIGNMENT: worker-1" must not be handed what worker-1 has completed.
 */
export const LACKS_A_WORD_MAX = 59

/** Different words of one message that are compared: more than a text of TEXT_MAX characters has. */
const TOKENS_MAX = 4000

/** A score, and how many words of the query the message lacks. */
export interface Scored {
  score: number
  lacking: number
}

/**
 * Scores the candidates of one query. How a word of the query is met by a word of a text is worked out once, however
 * many texts have that word.
 */
export function scorer(query: Query): (candidate: Candidate, missing: 0 | 1) => Scored {
  const known = query.words.map(
    ({ text }) => new Map(otherNumbers(text).map(other => [other, meets(text, other) || MISSPELT]))
  )

  /** How well a word is met by a text's own words; undefined where it is not. */
  function how(i: number, word: string, tokens: Set<string>): number | undefined {
    if (tokens.has(word)) return WORD_START
    const met = known[i] as Map<string, number>
    let best = 0
    for (const token of tokens) {
      let worth = met.get(token)
      if (worth === undefined) met.set(token, (worth = meets(word, token)))
      if (worth === WORD_START) return WORD_START
      if (worth > best) best = worth
    }
    return best === 0 ? undefined : best
  }

  /** @param missing how many words of the query may be lacking */
  return function score(candidate, missing) {
    if (candidate.exact) return { score: 100, lacking: 0 }
    const tokens = new Set<string>()
    const text = lower(candidate.text)
    for (const [token] of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
      tokens.add(token)
      if (tokens.size === TOKENS_MAX) break
    }
    let met = 0
    let letters = 0
    let lacking = 0
    for (const [i, word] of query.words.entries()) {
      const seen =
        word.standsIn === undefined ? how(i, word.text, tokens) : word.standsIn(text) ? WORD_START : undefined
      // Of a long text only the beginning is looked at here; for the rest the database has looked.
      const worth = seen ?? (candidate.in_all?.[i] === true ? INSIDE : undefined)
      letters += word.text.length
      met += word.text.length * (worth ?? 0)
      if (worth === undefined) lacking++
    }
    const coverage = letters === 0 ? 0 : met / letters
    const raw = NOT_EXACT * (PHRASE_WEIGHT * candidate.phrase_similarity + COVERAGE_WEIGHT * coverage)
    const score = Math.round(100 * raw ** CALIBRATION * 100) / 100
    return { score: lacking > missing ? Math.min(score, LACKS_A_WORD_MAX) : score, lacking }
  }
}

/** How well a word of the query is met by a word of a text, 0 where it is not. */
function meets(word: string, token: string): number {
  if (token.startsWith(word)) return WORD_START
  const inside = word.length >= INSIDE_MIN && token.includes(word) ? INSIDE : 0
  const errors = errorsForgiven(word, token)
  const distance = errors === 0 ? Infinity : editDistance(word, token, errors)
  const near = distance <= errors ? 1 - distance / word.length : 0
  return Math.max(inside, near, /[^\u0000-\u007f]/.test(token) && unaccented(token).startsWith(word) ? WORD_START : 0)
}
