import type { ComponentChildren } from 'preact'
import { visibleText } from './text.js'

/** A text in which the words of a query are marked, also where a longer word begins with one. */
export function Marked({ text, query }: { text: string; query: string }) {
  const words = [...new Set(query.match(/[\p{L}\p{N}]{2,}/gu) ?? [])].map(word => word.replace(/[^\p{L}\p{N}]/gu, ''))
  const shown = visibleText(text)
  if (words.length === 0) return <span dir="auto">{shown}</span>
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join('|')})[\\p{L}\\p{N}]*`, 'giu')
  const parts: ComponentChildren[] = []
  let end = 0
  for (const { 0: found, index } of shown.matchAll(pattern)) {
    parts.push(shown.slice(end, index), <mark key={index}>{found}</mark>)
    end = index + found.length
  }
  return (
    <span dir="auto">
      {parts}
      {shown.slice(end)}
    </span>
  )
}
