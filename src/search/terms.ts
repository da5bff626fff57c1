import type { TermHash } from './term-hash.js'

/**
 * What a text is looked up by. Words, identifiers, CJK characters, symbols and pairs of neighbouring words become
 * *terms*: 32-bit hashes (term-hash.ts), of which a message keeps the sorted set. The same rules take a query apart
 * (query.ts).
 */

/** A run of letters and digits. */
export const RUN = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
/** Runs joined by what identifiers are joined by: `worker-1`, `snake_case`, `v1.2.3`, a UUID. */
export const COMPOUND = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[-_.][\p{L}\p{N}\p{M}]+)*/gu
const SYMBOL = /[^\p{L}\p{N}\p{M}\s\p{Cc}]/gu
export const CJK_RUN = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+/gu
/**
 * The letters of `getUserProfile`, `HTTPServer` and `sha256`, word by word. Digits must be there as given, so they are
 * no pieces.
 */
const PIECE = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}[\p{Ll}\p{M}]*|\p{Lo}[\p{Lo}\p{M}]*/gu

/** Longer words are cut: nobody types more of one. */
export const WORD_MAX = 40
/** Parts of an identifier that stand together as one term. */
export const COMPOUND_PARTS_MAX = 3
/** The start of a hash or a UUID is enough to name it, from so many characters on. */
export const HASH_START_MIN = 6
export const HASH_START_MAX = 12
/**
 * Most terms of one message: room for all words of a text of 100 000 characters. Of more, pairs are left out first,
 * which only phrases need.
 */
const TERMS_MAX = 50_000

function isHash(run: string): boolean {
  return run.length >= 8 && /^[0-9a-f]+$/.test(run) && /\d/.test(run)
}

export function hasDigit(text: string): boolean {
  return /\p{N}/u.test(text)
}

/** A text as terms are made of it: composed characters, so that é is one however it was typed. */
export function normal(text: string): string {
  return text.normalize('NFC')
}

/**
 * Lower case as words are compared in: without the final sigma and the dotted i that JavaScript and PostgreSQL lower
 * differently.
 */
export function lower(text: string): string {
  const lowered = text.toLowerCase()
  return /[ς\u0307]/.test(lowered) ? lowered.replaceAll('ς', 'σ').replaceAll('i\u0307', 'i') : lowered
}

/** Without accents: `café` is found by `cafe` too. */
export function unaccented(word: string): string {
  if (isAscii(word)) return word
  return word
    .normalize('NFD')
    .replace(/\p{Mn}+/gu, '')
    .normalize('NFC')
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}

// A letter for each kind keeps, say, the word `ab` and the start of a hash apart.
const [WORD, COMPOUND_RUN, HASH_START, CJK, SYMBOL_KIND, SESSION] = [...'wchkys'].map(letter =>
  letter.charCodeAt(0)
) as [number, number, number, number, number, number]

export const wordTerm = (hash: TermHash, word: string) => hash(WORD, word.slice(0, WORD_MAX))
export const compoundTerm = (hash: TermHash, parts: string[]) => hash(COMPOUND_RUN, parts.join('-'))
export const hashStartTerm = (hash: TermHash, start: string) => hash(HASH_START, start)
export const cjkTerm = (hash: TermHash, characters: string) => hash(CJK, characters)
export const symbolTerm = (hash: TermHash, symbol: string) => hash(SYMBOL_KIND, symbol)
export const pairTerm = (hash: TermHash, first: string, second: string) =>
  pairOf(wordTerm(hash, first), wordTerm(hash, second))
export const sessionTerm = (hash: TermHash, session_id: string) => hash(SESSION, session_id)

/**
 * Of two words that stand side by side, from their terms. These are secret, so it need only spread well: the last steps
 * of MurmurHash3 (fmix32). There are as many pairs as words in a text, and hashing their letters took a fifth of all
 * time.
 */
function pairOf(first: number, second: number): number {
  let h = Math.imul(first, 0x9e3779b1) ^ second
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

/** Two to COMPOUND_PARTS_MAX neighbouring parts of a compound, each time. */
function compoundRuns(parts: string[]): string[][] {
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
export function termsOf(hash: TermHash, session_id: string, texts: readonly string[]): Indexed {
  const terms = new Set<number>([sessionTerm(hash, session_id)])
  const words = new Set<string>()
  const pairs: number[] = []
  const compounds = compoundsOf(hash)
  for (const text of texts) {
    if (isAscii(text)) addText(hash, text, ASCII_COMPOUND, ASCII_SYMBOL, compounds, terms, words, pairs)
    else addAnyText(hash, normal(text), compounds, terms, words, pairs)
  }
  for (const pair of pairs) terms.add(pair)
  return { terms: Int32Array.from([...terms].slice(0, TERMS_MAX)).sort(), words }
}

/** What a compound adds to a message, wherever it stands. */
interface Compound {
  terms: number[]
  words: string[]
  /** The terms of its runs, one after the other. */
  runs: number[]
}

/**
 * Compounds kept for each workspace, since texts say most of theirs again and again: those of the last so many that
 * were not, and those of as many before them. Longer ones are taken apart each time.
 */
const GENERATION = 10_000
const KEPT_LENGTH_MAX = 60

interface Kept {
  young: Map<string, Compound>
  old: Map<string, Compound>
}
const keptBy = new WeakMap<TermHash, Kept>()

function compoundsOf(hash: TermHash): (compound: string) => Compound {
  let kept = keptBy.get(hash)
  if (kept === undefined) keptBy.set(hash, (kept = { young: new Map(), old: new Map() }))
  if (kept.young.size >= GENERATION) Object.assign(kept, { young: new Map(), old: kept.young })
  const { young, old } = kept
  return text => {
    let compound = young.get(text)
    if (compound !== undefined) return compound
    if (text.length > KEPT_LENGTH_MAX) return takeApart(hash, text)
    // What is cut out of a message holds all of it in memory; a copy does not.
    const own = Buffer.from(text).toString()
    young.set(own, (compound = old.get(own) ?? takeApart(hash, own)))
    return compound
  }
}

// As COMPOUND and SYMBOL have it, for texts without anything else, as most are: it takes a third of the time.
const ASCII_COMPOUND = /[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*/g
const ASCII_SYMBOL = /[!-/:-@[-`{-~]/g

function addText(
  hash: TermHash,
  text: string,
  compound: RegExp,
  symbol: RegExp,
  compounds: (compound: string) => Compound,
  terms: Set<number>,
  words: Set<string>,
  pairs: number[]
): void {
  let before: number | undefined
  for (const found of text.match(compound) ?? []) {
    const { terms: its, words: itsWords, runs } = compounds(found)
    for (const term of its) terms.add(term)
    for (const word of itsWords) words.add(word)
    for (const run of runs) {
      if (before !== undefined) pairs.push(pairOf(before, run))
      before = run
    }
  }
  for (const found of new Set(text.match(symbol))) terms.add(symbolTerm(hash, found))
}

function addAnyText(
  hash: TermHash,
  text: string,
  compounds: (compound: string) => Compound,
  terms: Set<number>,
  words: Set<string>,
  pairs: number[]
): void {
  const cjk = text.match(CJK_RUN)
  // A mark may stand where a run cannot begin.
  if (cjk === null && !/\p{M}/u.test(text)) return addText(hash, text, COMPOUND, SYMBOL, compounds, terms, words, pairs)
  // Scripts without spaces end a word where they begin: `GPT4モデル`.
  addText(hash, text.replaceAll(CJK_RUN, ' '), COMPOUND, SYMBOL, compounds, terms, words, [])
  for (const run of cjk ?? []) {
    for (let i = 0; i < run.length; i++) {
      terms.add(cjkTerm(hash, run.slice(i, i + 1)))
      if (i > 0) terms.add(cjkTerm(hash, run.slice(i - 1, i + 1)))
    }
  }
  const runs = (lower(text).match(RUN) ?? []).map(run => wordTerm(hash, run))
  for (let i = 1; i < runs.length; i++) pairs.push(pairOf(runs[i - 1] as number, runs[i] as number))
}

function takeApart(hash: TermHash, compound: string): Compound {
  const terms = new Set<number>()
  const words = new Set<string>()
  const parts = compound.split(/[-_.]/)
  for (const part of parts) addWord(hash, part, terms, words)
  const runs = parts.map(lower)
  if (parts.length > 1) for (const run of compoundRuns(runs)) terms.add(compoundTerm(hash, run))
  return { terms: [...terms], words: [...words], runs: runs.map(run => wordTerm(hash, run)) }
}

function addWord(hash: TermHash, part: string, terms: Set<number>, words: Set<string>): void {
  const word = lower(part)
  keep(hash, word, terms, words)
  if (isHash(word))
    for (let length = HASH_START_MIN; length <= Math.min(HASH_START_MAX, word.length); length++)
      terms.add(hashStartTerm(hash, word.slice(0, length)))
  // Words all small, or with one capital at their beginning, are one piece.
  const inPieces = hasDigit(part) ? !isHash(word) : word !== part && !/^\p{Lu}?[^\p{Lu}]*$/u.test(part)
  if (inPieces) for (const [piece] of part.matchAll(PIECE)) keep(hash, lower(piece), terms, words)
}

function keep(hash: TermHash, word: string, terms: Set<number>, words: Set<string>): void {
  terms.add(wordTerm(hash, word))
  const plain = unaccented(word)
  if (plain !== word) terms.add(wordTerm(hash, plain))
  if (word.length >= 2 && !hasDigit(word)) {
    words.add(word.slice(0, WORD_MAX))
    if (plain !== word) words.add(plain.slice(0, WORD_MAX))
  }
}

/** Every string, number and boolean in a metadata object, at any depth. */
export function metadataValues(metadata: unknown): string[] {
  if (typeof metadata === 'string') return [metadata]
  if (typeof metadata === 'number' || typeof metadata === 'boolean') return [String(metadata)]
  if (typeof metadata !== 'object' || metadata === null) return []
  return Object.values(metadata).flatMap(metadataValues)
}
