import { pattern, type Pattern, ratio } from './indel.js'

/**
 * A scorer in the manner of RapidFuzz's WRatio, written from its public description: the plain ratio; once one text is
 * half as long again as the other, the best part of it instead, scaled by 0.9, or by 0.6 from eight times the length;
 * and the ratios of the sorted words and of the shared and unshared words, scaled by 0.95. Both texts are lower-cased
 * and freed of punctuation first.
 */
export function wratio(query: string): (text: string) => number {
  const q = processed(query)
  const p = pattern(q)
  const sorted = pattern(sortedWords(q))
  const words = new Set(q.split(' '))
  return raw => {
    const text = processed(raw)
    if (q === '' || text === '') return 0
    const longer = Math.max(q.length, text.length) / Math.min(q.length, text.length)
    const plain = ratio(p, text)
    if (longer < 1.5)
      return Math.max(plain, 0.95 * ratio(sorted, sortedWords(text)), 0.95 * setRatio(words, text, ratio))
    const scale = longer < 8 ? 0.9 : 0.6
    // Two texts that share a word have a part in common that is alike through and through.
    const shared = text.split(' ').some(word => words.has(word))
    const byWords = shared ? 100 : partialRatio(sorted, sortedWords(text))
    return Math.max(plain, scale * partialRatio(p, text), 0.95 * scale * byWords)
  }
}

function processed(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function sortedWords(text: string): string {
  return text.split(' ').sort().join(' ')
}

/** The best of all windows of the pattern's length, those at the ends cut short. */
function partialRatio(p: Pattern, text: string): number {
  if (p.length > text.length) return partialRatioOfShorter(p, text)
  let best = 0
  for (let to = 1; to < text.length + p.length; to++) {
    const from = Math.max(0, to - p.length)
    const end = Math.min(to, text.length)
    // A window that begins or ends with a letter the pattern lacks is never the best.
    const edge = from === 0 ? text.charCodeAt(end - 1) : text.charCodeAt(from)
    if (!p.masks.has(edge)) continue
    best = Math.max(best, ratio(p, text, from, end))
    if (best === 100) break
  }
  return best
}

/** A query longer than the text is rare here; the text is then held against the whole of it. */
function partialRatioOfShorter(p: Pattern, text: string): number {
  return (ratio(p, text) * (p.length + text.length)) / (2 * text.length)
}

function setRatio(words: Set<string>, text: string, compare: (p: Pattern, text: string) => number): number {
  const others = new Set(text.split(' '))
  const both = [...words]
    .filter(word => others.has(word))
    .sort()
    .join(' ')
  const onlyQuery = [...words]
    .filter(word => !others.has(word))
    .sort()
    .join(' ')
  const onlyText = [...others]
    .filter(word => !words.has(word))
    .sort()
    .join(' ')
  if (both !== '' && (onlyQuery === '' || onlyText === '')) return 100
  const withQuery = `${both} ${onlyQuery}`.trim()
  const withText = `${both} ${onlyText}`.trim()
  const withBoth = compare(pattern(withQuery), withText)
  return both === ''
    ? withBoth
    : Math.max(withBoth, compare(pattern(both), withQuery), compare(pattern(both), withText))
}
