import type { Query } from './query.js'

/** Most characters of a preview (contract §5). */
export const PREVIEW_MAX = 150

/** The part of a content around its best match: the phrase, else its longest word that is there, else the beginning. */
export function preview (content: string, query: Query): string {
  const characters = [...content]
  if (characters.length <= PREVIEW_MAX) return content
  const found = matchIn(content, query)
  const at = found === undefined ? 0 : [...content.slice(0, found.index)].length
  const length = found === undefined ? 0 : Math.min([...found[0]].length, PREVIEW_MAX)
  const room = PREVIEW_MAX - 2 - length
  const from = Math.max(0, Math.min(at - Math.floor(Math.max(0, room) / 2), characters.length - (PREVIEW_MAX - 1)))
  const cutBefore = from > 0
  const to = Math.min(characters.length, from + PREVIEW_MAX - (cutBefore ? 2 : 1))
  return `${cutBefore ? '…' : ''}${characters.slice(from, to).join('')}${to < characters.length ? '…' : ''}`
}

function matchIn (content: string, query: Query): RegExpExecArray | undefined {
  const longestFirst = query.words.map(word => word.text).sort((a, b) => b.length - a.length)
  for (const text of [query.phrase, ...longestFirst, ...longestFirst.map(word => word.slice(0, Math.max(3, word.length - 3)))]) {
    if (text === '') continue
    const pattern = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+')
    const found = new RegExp(pattern, 'iu').exec(content)
    if (found !== null) return found
  }
  return undefined
}
