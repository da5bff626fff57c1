import { editDistance } from '../../core/edit-distance.js'
import type { Candidate, Missing } from './candidates.js'
import type { Query } from './query.js'

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

/** How well a word is met: as a word of its own or at a word's start, inside a word; what it merely shares letters with counts little. */
const WORD_START = 1
const INSIDE = 0.85
const SHARED_LETTERS = 0.4

/** Shorter query words inside other words say nothing (`art` in `start`). */
const INSIDE_MIN = 4

/**
 * A message that lacks a word of the query stays below 60, whatever the rest of it scores: a worker that looks for
 * "TASK ASSIGNMENT: worker-1" must not be handed what worker-1 has completed.
 */
const LACKS_A_WORD_MAX = 59

/** @param missing how many words of the query may be lacking */
export function score (query: Query, candidate: Candidate, missing: Missing): number {
  if (candidate.exact) return 100
  const tokens = new Set(candidate.text.match(/[\p{L}\p{N}\p{M}]+/gu))
  let met = 0
  let letters = 0
  let lacking = 0
  query.words.forEach((word, i) => {
    const similarity = candidate.word_similarities[i] ?? 0
    // 1 is given to a word that stands anywhere in the message, also beyond the part whose words are looked at here.
    const inside = similarity === 1 && word.text.length >= INSIDE_MIN ? INSIDE : undefined
    const meets = word.pattern !== undefined ? WORD_START : how(word.text, tokens) ?? inside
    letters += word.text.length
    met += word.text.length * (meets ?? similarity * SHARED_LETTERS)
    if (meets === undefined) lacking++
  })
  const coverage = letters === 0 ? 0 : met / letters
  const raw = NOT_EXACT * (PHRASE_WEIGHT * candidate.phrase_similarity + COVERAGE_WEIGHT * coverage)
  const score = Math.round(100 * raw ** CALIBRATION * 100) / 100
  return lacking > missing ? Math.min(score, LACKS_A_WORD_MAX) : score
}

/** How well a word is met by a text's own words; undefined where it is not. */
function how (word: string, tokens: Set<string>): number | undefined {
  if (tokens.has(word)) return WORD_START
  let best = 0
  const edits = editsAllowed(word.length)
  for (const token of tokens) {
    if (token.startsWith(word)) return WORD_START
    if (word.length >= INSIDE_MIN && token.includes(word)) best = Math.max(best, INSIDE)
    if (edits > 0 && Math.abs(token.length - word.length) <= edits) {
      const distance = editDistance(word, token)
      if (distance <= edits) best = Math.max(best, 1 - distance / word.length)
    }
  }
  return best === 0 ? undefined : best
}

/** Typing errors that a word of so many letters may have: none in the shortest, where another word is one letter away. */
function editsAllowed (length: number): number {
  return length < 4 ? 0 : length < 8 ? 1 : 2
}
