import { editDistance } from '../../core/edit-distance.js'
import type { Candidate } from './candidates.js'
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

/** How well a word is met: as a word of its own or at a word's start, inside a word, or by letters it merely shares. */
const WORD_START = 1
const INSIDE = 0.85
const SHARED_LETTERS = 0.4

/** Shorter query words inside other words say nothing (`art` in `start`). */
const INSIDE_MIN = 4

export function score (query: Query, candidate: Candidate): number {
  if (candidate.exact) return 100
  const tokens = new Set(candidate.text.match(/[\p{L}\p{N}\p{M}]+/gu))
  let met = 0
  let letters = 0
  query.words.forEach((word, i) => {
    letters += word.text.length
    met += word.text.length * (word.pattern !== undefined ? WORD_START : how(word.text, tokens, candidate.word_similarities[i] ?? 0))
  })
  const coverage = letters === 0 ? 0 : met / letters
  const raw = NOT_EXACT * (PHRASE_WEIGHT * candidate.phrase_similarity + COVERAGE_WEIGHT * coverage)
  return Math.round(100 * raw ** CALIBRATION * 100) / 100
}

function how (word: string, tokens: Set<string>, similarity: number): number {
  if (tokens.has(word)) return WORD_START
  let best = similarity * SHARED_LETTERS
  const edits = editsAllowed(word.length)
  for (const token of tokens) {
    if (token.startsWith(word)) return WORD_START
    if (word.length >= INSIDE_MIN && token.includes(word)) best = Math.max(best, INSIDE)
    if (edits > 0 && Math.abs(token.length - word.length) <= edits) {
      const distance = editDistance(word, token)
      if (distance <= edits) best = Math.max(best, 1 - distance / word.length)
    }
  }
  return best
}

/** Typing errors that a word of so many letters may have: none in the shortest, where another word is one letter away. */
function editsAllowed (length: number): number {
  return length < 4 ? 0 : length < 8 ? 1 : 2
}
