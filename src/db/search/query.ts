/** A search query taken apart: the phrase as a whole, and its words. */
export interface Query {
  /** Lower-cased and trimmed; '' finds nothing. */
  phrase: string
  /** The phrase as a PostgreSQL regular expression where it begins or ends in an identifier, else undefined: a plain substring will do. */
  phrase_pattern: string | undefined
  words: Word[]
}

export interface Word {
  text: string
  /** A word with a digit is an identifier (`worker-1`, `PRP-004`): it must be there as given. Its regular expression. */
  pattern: string | undefined
}

/** Most words of a query that count; each costs a pass over the texts. */
const WORDS_MAX = 12

export function parseQuery (text: string): Query {
  const phrase = text.toLowerCase().replace(/\s+/gu, ' ').trim()
  const words = new Map<string, Word>()
  for (const token of phrase.split(' ')) {
    // An identifier stays whole, without the punctuation around it; other words fall apart at every punctuation.
    const parts = /\p{N}/u.test(token) ? [token.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')] : token.match(/[\p{L}\p{M}]+/gu) ?? []
    for (const part of parts) if (part !== '') words.set(part, { text: part, pattern: isIdentifier(part) ? bounded(part, part, part) : undefined })
  }
  const first = firstToken(phrase)
  const last = lastToken(phrase)
  const needsBounds = isIdentifier(first) || isIdentifier(last)
  return {
    phrase,
    phrase_pattern: needsBounds ? bounded(phrase, first, last) : undefined,
    words: [...words.values()].slice(0, WORDS_MAX)
  }
}

function isIdentifier (token: string): boolean {
  return /\p{N}/u.test(token)
}

function firstToken (phrase: string): string {
  return /^[\p{L}\p{N}\p{M}_-]*/u.exec(phrase)?.[0] ?? ''
}

function lastToken (phrase: string): string {
  return /[\p{L}\p{N}\p{M}_-]*$/u.exec(phrase)?.[0] ?? ''
}

/** The start of a UUID or a hash: there the end is open. Six hexadecimal digits are seldom anything else. */
const HASH_START = /^(?=.*\d)[0-9a-f]{6,}(-[0-9a-f]*)*$/

/** A text that must not go on in letters or digits where it begins or ends in an identifier: `worker-1` is not in `worker-10`. */
function bounded (text: string, first: string, last: string): string {
  const before = isIdentifier(first) ? '(?<![[:alnum:]])' : ''
  const after = isIdentifier(last) && !HASH_START.test(last) ? '(?![[:alnum:]])' : ''
  return `${before}${escapePattern(text)}${after}`
}

/** A text as a PostgreSQL regular expression (ARE) that matches just itself. */
function escapePattern (text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{M}\s]/gu, char => (char.codePointAt(0) as number) < 128 ? `\\${char}` : char)
}
