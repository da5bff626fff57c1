import type { Message } from '../corpus/messages.js'

/** What of a message a query can mean: sender, content and metadata values, each on a line of its own, lower-cased. */
export interface Haystack {
  text: string
  words: Set<string>
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu
const HUMP = /(?<=\p{Ll})(?=\p{Lu})/u

export function haystack(message: Message): Haystack {
  const lines = [message.sender, message.content.replace(/\s+/gu, ' '), ...values(message.metadata)]
  const words = new Set<string>()
  for (const line of lines) {
    for (const [word] of line.matchAll(WORD)) {
      words.add(word.toLowerCase())
      // parseConfigFile says "parse", "config" and "file" to a reader as parse_config_file does.
      const humps = word.split(HUMP)
      if (humps.length > 1) for (const hump of humps) words.add(hump.toLowerCase())
    }
  }
  return { text: lines.join('\n').toLowerCase(), words }
}

export function values(value: unknown): string[] {
  if (value === null || value === undefined) return []
  if (typeof value === 'object') return Object.values(value).flatMap(values)
  return [typeof value === 'string' ? value : JSON.stringify(value)]
}
