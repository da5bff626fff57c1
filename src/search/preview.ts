import type { Query } from './query.js'
import { lower } from './terms.js'

/** Most characters of a preview, the ellipses among them (docs/semantics.md, Search). */
const PREVIEW_MAX = 150

/**
 * The part of a content around its best match: the phrase, else its longest word that is there or begins so, else the
 * beginning. Never longer than PREVIEW_MAX.
 */
export function preview(content: string, query: Query): string {
  const characters = [...content]
  if (characters.length <= PREVIEW_MAX) return content
  const found = matchIn(content, query)
  const at = found === undefined ? 0 : [...content.slice(0, found.index)].length
  const length = found === undefined ? 0 : Math.min(found.length, PREVIEW_MAX)
  const room = PREVIEW_MAX - 2 - length
  const from = Math.max(0, Math.min(at - Math.floor(Math.max(0, room) / 2), characters.length - (PREVIEW_MAX - 1)))
  const cutBefore = from > 0
  const to = Math.min(characters.length, from + PREVIEW_MAX - (cutBefore ? 2 : 1))
  return `${cutBefore ? '…' : ''}${characters.slice(from, to).join('')}${to < characters.length ? '…' : ''}`
}

/** Longer phrases are looked for by their beginning: what is shown is shorter than that. */
const LOOKED_FOR_MAX = 100

/**
 * Where the match is in a content whose white space may be wider than the query's. Plain searching: a pattern of many
 * words could take seconds.
 */
function matchIn(content: string, query: Query): { index: number; length: number } | undefined {
  const lowered = lower(content)
  // Lowering can change lengths in a few alphabets; then the place is about right, which is all a preview needs.
  const spaced = lowered.replace(/[\t\r\n]/g, ' ')
  const longestFirst = query.units.map(unit => unit.text).sort((a, b) => b.length - a.length)
  for (const text of [
    lower(query.phrase),
    ...longestFirst,
    ...longestFirst.map(word => word.slice(0, Math.max(3, word.length - 3)))
  ]) {
    const wanted = text.slice(0, LOOKED_FOR_MAX)
    const index = wanted === '' ? -1 : spaced.indexOf(wanted)
    if (index >= 0) return { index, length: wanted.length }
  }
  return undefined
}
