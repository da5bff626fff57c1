import type { Haystack } from './haystack.js'

/**
 * What a message must hold to be a right answer. Said of the words the query was made from, before it was misspelt, cut
 * or shuffled, and looked for with plain string comparison: no score, no index, nothing of the search that is judged.
 */
export interface Needle {
  text: string
  /**
   * `word`: as a word of its own. `start`: at a word's start. `text`: as it stands, and what begins or ends in an
   * identifier must not go on there (worker-1 is not in worker-10). `open`: the same with an open end (a hash's first
   * digits).
   */
  as: 'word' | 'start' | 'text' | 'open'
}

/** Whether a message holds it, as a test to be made once and asked of every message. */
export function tester({ text, as }: Needle): (hay: Haystack) => boolean {
  switch (as) {
    case 'word':
      return hay => hay.words.has(text)
    case 'start':
      return hay => hay.words.has(text) || startsOne(hay, text)
    case 'text': {
      const [before, after] = [identifierFirst(text), identifierLast(text)]
      return hay => stands(hay.text, text, before, after)
    }
    case 'open':
      return hay => stands(hay.text, text, true, false)
  }
}

function startsOne(hay: Haystack, start: string): boolean {
  if (!hay.text.includes(start)) return false
  for (const word of hay.words) if (word.startsWith(start)) return true
  return false
}

function stands(text: string, part: string, boundedBefore: boolean, boundedAfter: boolean): boolean {
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    const before = boundedBefore && at > 0 && isAlphanumeric(text[at - 1] as string)
    const after = boundedAfter && at + part.length < text.length && isAlphanumeric(text[at + part.length] as string)
    if (!before && !after) return true
  }
  return false
}

const isAlphanumeric = (character: string) => /[\p{L}\p{N}]/u.test(character)
const identifierFirst = (text: string) => /^[\p{L}\p{N}]/u.test(text) && /^\S*\p{N}/u.test(text)
const identifierLast = (text: string) => /[\p{L}\p{N}]$/u.test(text) && /\p{N}\S*$/u.test(text)
