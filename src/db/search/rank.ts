import { editDistance } from '../../core/edit-distance.js'
import type { Query } from './query.js'
import { unaccented } from './terms.js'
import { type Candidate, TEXT_MAX } from './texts.js'
import { errorsForgiven } from './vocabulary.js'

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

/** How well a word is met: as a word of its own or at a word's start, or inside a word. A misspelt one loses by its share of errors. */
const WORD_START = 1
const INSIDE = 0.85

/** Shorter query words inside other words say nothing (`art` in `start`). */
const INSIDE_MIN = 4

/**
 * A message that lacks a word of the query stays below 60, whatever the rest of it scores: a worker that looks for
 * "TASK ASSIGNMENT: worker-1" must not be handed what worker-1 has completed.
 */
const LACKS_A_WORD_MAX = 59

/** @param missing how many words of the query may be lacking */
export function score (query: Query, candidate: Candidate, missing: 0 | 1): number {
  if (candidate.exact) return 100
  const tokens = new Set(candidate.text.match(/[\p{L}\p{N}\p{M}]+/gu))
  let met = 0
  let letters = 0
  let lacking = 0
  for (const [i, word] of query.words.entries()) {
    const seen = word.kind === 'word' ? how(word.text, tokens) : word.standsIn(candidate.text) ? WORD_START : undefined
    // Of a long text only the beginning is looked at here; for the rest the index answers.
    const meets = seen ?? (candidate.text.length >= TEXT_MAX ? candidate.met?.[i] || undefined : undefined)
    letters += word.text.length
    met += word.text.length * (meets ?? 0)
    if (meets === undefined) lacking++
  }
  const coverage = letters === 0 ? 0 : met / letters
  const raw = NOT_EXACT * (PHRASE_WEIGHT * candidate.phrase_similarity + COVERAGE_WEIGHT * coverage)
  const score = Math.round(100 * raw ** CALIBRATION * 100) / 100
  return lacking > missing ? Math.min(score, LACKS_A_WORD_MAX) : score
}

/** How well a word is met by a text's own words; undefined where it is not. */
function how (word: string, tokens: Set<string>): number | undefined {
  if (tokens.has(word)) return WORD_START
  let best = 0
  for (const token of tokens) {
    if (token.startsWith(word)) return WORD_START
    if (word.length >= INSIDE_MIN && token.includes(word)) best = Math.max(best, INSIDE)
    const edits = errorsForgiven(word, token)
    if (edits > 0 && Math.abs(token.length - word.length) <= edits) {
      const distance = editDistance(word, token)
      if (distance <= edits) best = Math.max(best, 1 - distance / word.length)
    }
  }
  if (best === 0) for (const token of tokens) if (/[^\u0000-\u007f]/.test(token) && unaccented(token).startsWith(word)) return WORD_START
  return best === 0 ? undefined : best
}
