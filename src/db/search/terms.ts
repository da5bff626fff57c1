import type { TermHash } from './term-hash.js'

/**
 * What a text is looked up by. Words, identifiers, CJK characters, symbols and pairs of neighbouring words become *terms*:
 * 32-bit hashes (term-hash.ts), of which a message keeps the sorted set. The same rules take a query apart (query.ts).
 */

/** A run of letters and digits. */
export const RUN = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
/** Runs joined by what identifiers are joined by: `worker-1`, `snake_case`, `v1.2.3`, a UUID. */
export const COMPOUND = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[-_.][\p{L}\p{N}\p{M}]+)*/gu
const SYMBOL = /[^\p{L}\p{N}\p{M}\s\p{Cc}]/gu
export const CJK_RUN = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+/gu
/** The letters of `getUserProfile`, `HTTPServer` and `sha256`, word by word. Digits must be there as given, so they are no pieces. */
const PIECE = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}[\p{Ll}\p{M}]*|\p{Lo}[\p{Lo}\p{M}]*/gu

/** Longer words are cut: nobody types more of one. */
export const WORD_MAX = 40
/** Parts of an identifier that stand together as one term. */
export const COMPOUND_PARTS_MAX = 3
/** The start of a hash or a UUID is enough to name it, from so many characters on. */
export const HASH_START_MIN = 6
export const HASH_START_MAX = 12
/** Most terms of one message: room for all words of a text of 100 000 characters. Of more, pairs are left out first, which only phrases need. */
const TERMS_MAX = 50_000

function isHash (run: string): boolean {
  return run.length >= 8 && /^[0-9a-f]+$/.test(run) && /\d/.test(run)
}

export function hasDigit (text: string): boolean {
  return /\p{N}/u.test(text)
}

/** A text as terms are made of it: composed characters, so that é is one however it was typed. */
export function normal (text: string): string {
  return text.normalize('NFC')
}

/** Lower case as words are compared in: without the final sigma and the dotted i that JavaScript and PostgreSQL lower differently. */
export function lower (text: string): string {
  const lowered = text.toLowerCase()
  return /[ς\u0307]/.test(lowered) ? lowered.replaceAll('ς', 'σ').replaceAll('i\u0307', 'i') : lowered
}

/** Without accents: `café` is found by `cafe` too. */
export function unaccented (word: string): string {
  if (isAscii(word)) return word
  return word.normalize('NFD').replace(/\p{Mn}+/gu, '').normalize('NFC')
}

function isAscii (text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

// A letter for each kind keeps, say, the word `ab` and the start of a hash apart.
const [WORD, COMPOUND_RUN, HASH_START, CJK, SYMBOL_KIND, PAIR, SESSION] = [...'wchkyps'].map(letter => letter.charCodeAt(0)) as [number, number, number, number, number, number, number]

export const wordTerm = (hash: TermHash, word: string) => hash(WORD, word.slice(0, WORD_MAX))
export const compoundTerm = (hash: TermHash, parts: string[]) => hash(COMPOUND_RUN, parts.join('-'))
export const hashStartTerm = (hash: TermHash, start: string) => hash(HASH_START, start)
export const cjkTerm = (hash: TermHash, characters: string) => hash(CJK, characters)
export const symbolTerm = (hash: TermHash, symbol: string) => hash(SYMBOL_KIND, symbol)
export const pairTerm = (hash: TermHash, first: string, second: string) => hash(PAIR, `${first.slice(0, WORD_MAX)} ${second.slice(0, WORD_MAX)}`)
export const sessionTerm = (hash: TermHash, session_id: string) => hash(SESSION, session_id)

/** Two to COMPOUND_PARTS_MAX neighbouring parts of a compound, each time. */
function compoundRuns (parts: string[]): string[][] {
  const runs: string[][] = []
  for (let length = 2; length <= Math.min(COMPOUND_PARTS_MAX, parts.length); length++) {
    for (let from = 0; from + length <= parts.length; from++) runs.push(parts.slice(from, from + length))
  }
  return runs
}

export interface Indexed {
  /** Sorted. */
  terms: Int32Array
  /** Its words of letters alone, two or more, cut at WORD_MAX: what the vocabulary keeps, for near spellings. */
  words: Set<string>
}

/** All that one message is found by: each text (content, sender, each metadata value) for itself. */
export function termsOf (hash: TermHash, session_id: string, texts: readonly string[]): Indexed {
  const terms = new Set<number>([sessionTerm(hash, session_id)])
  const words = new Set<string>()
  const composed = texts.map(normal)
  for (const text of composed) addText(hash, text, terms, words)
  for (const text of composed) addPairs(hash, text, terms)
  return { terms: Int32Array.from([...terms].slice(0, TERMS_MAX)).sort(), words }
}

function addPairs (hash: TermHash, text: string, terms: Set<number>): void {
  let before: string | undefined
  for (const [run] of lower(text).matchAll(RUN)) {
    if (before !== undefined) terms.add(pairTerm(hash, before, run))
    before = run
  }
}

function addText (hash: TermHash, text: string, terms: Set<number>, words: Set<string>): void {
  // Scripts without spaces end a word where they begin: `GPT4モデル`.
  for (const [compound] of text.replaceAll(CJK_RUN, ' ').matchAll(COMPOUND)) {
    const parts = compound.split(/[-_.]/)
    for (const part of parts) addWord(hash, part, terms, words)
    if (parts.length > 1) for (const run of compoundRuns(parts.map(lower))) terms.add(compoundTerm(hash, run))
  }
  for (const [run] of text.matchAll(CJK_RUN)) {
    for (let i = 0; i < run.length; i++) {
      terms.add(cjkTerm(hash, run.slice(i, i + 1)))
      if (i > 0) terms.add(cjkTerm(hash, run.slice(i - 1, i + 1)))
    }
  }
  for (const [symbol] of text.matchAll(SYMBOL)) terms.add(symbolTerm(hash, symbol))
}

function addWord (hash: TermHash, part: string, terms: Set<number>, words: Set<string>): void {
  const word = lower(part)
  keep(hash, word, terms, words)
  if (isHash(word)) for (let length = HASH_START_MIN; length <= Math.min(HASH_START_MAX, word.length); length++) terms.add(hashStartTerm(hash, word.slice(0, length)))
  // Words all small, or with one capital at their beginning, are one piece.
  const inPieces = hasDigit(part) ? !isHash(word) : word !== part && !/^\p{Lu}?[^\p{Lu}]*$/u.test(part)
  if (inPieces) for (const [piece] of part.matchAll(PIECE)) keep(hash, lower(piece), terms, words)
}

function keep (hash: TermHash, word: string, terms: Set<number>, words: Set<string>): void {
  terms.add(wordTerm(hash, word))
  const plain = unaccented(word)
  if (plain !== word) terms.add(wordTerm(hash, plain))
  if (word.length >= 2 && !hasDigit(word)) {
    words.add(word.slice(0, WORD_MAX))
    if (plain !== word) words.add(plain.slice(0, WORD_MAX))
  }
}

/** Every string, number and boolean in a metadata object, at any depth. */
export function metadataValues (metadata: unknown): string[] {
  if (typeof metadata === 'string') return [metadata]
  if (typeof metadata === 'number' || typeof metadata === 'boolean') return [String(metadata)]
  if (typeof metadata !== 'object' || metadata === null) return []
  return Object.values(metadata).flatMap(metadataValues)
}
