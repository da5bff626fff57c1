import type { Random } from '../corpus/random.js'
import { FUNCTION_WORDS } from '../corpus/words.js'

const functionWords = new Set(FUNCTION_WORDS)

/**
 * The plain words of a text that carry its meaning, lower-cased, in their order; no parts of identifiers, paths or
 * tickets.
 */
export function contentWords(text: string, least = 4): string[] {
  const found = [
    ...text.matchAll(/(?<![\p{L}\p{N}_./\\`'#@:=-])[A-Za-z]?[a-z]+(?![\p{L}\p{N}_/\\`'(=-]|[.:]\S)/gu)
  ].map(([word]) => word.toLowerCase())
  return found.filter(word => word.length >= least && !functionWords.has(word))
}

/** Some different ones that stand near each other. */
export function neighbouringWords(text: string, count: number, random: Random, least = 4): string[] | undefined {
  const words = contentWords(text, least)
  const from = random.int(0, Math.max(0, words.length - count))
  const near = [...new Set(words.slice(from))].slice(0, count)
  return near.length < count ? undefined : near
}
