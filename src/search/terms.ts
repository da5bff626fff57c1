import { isFunctionWord } from './function-words.js'
import { Remembered } from './remembered.js'
import { ENGLISH, type Language, languageOf, stem } from './stems.js'
import type { TermHash } from './term-hash.js'

/**
 * What a text is looked up by. Stems of words, identifiers, CJK characters, symbols and runs of function words become
 * *terms*: 32-bit hashes (term-hash.ts), of which a message keeps the sorted set. The same rules take a query apart
 * (query.ts).
 */

/** Runs of letters and digits joined by what identifiers are joined by: `worker-1`, `snake_case`, `v1.2.3`, a UUID. */
export const COMPOUND = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[-_.][\p{L}\p{N}\p{M}]+)*/gu
export const CJK_RUN = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]+/gu
/** Symbols that most texts have are no terms: they tell nothing, and each would cost as much as a word. */
const SYMBOL = /[^\p{L}\p{N}\p{M}\s\p{Cc}.,:;'"!?()/_-]/gu
/**
 * The letters of `getUserProfile`, `HTTPServer` and `sha256`, word by word. Digits must be there as given, so they are
 * no pieces.
 */
const PIECE = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}[\p{Ll}\p{M}]*|\p{Lo}[\p{Lo}\p{M}]*/gu

/** Longer words are cut: nobody types more of one. */
export const WORD_MAX = 40
/** Parts of an identifier that stand together as one term. */
export const COMPOUND_PARTS_MAX = 3
/** Parts of a compound up to so many letters name something only together with their neighbours. */
const SHORT_PART_MAX = 2
/** The start of a hash or a UUID is enough to name it, from so many characters on. */
export const HASH_START_MIN = 6
export const HASH_START_MAX = 12
/** Function words that are one term where they stand side by side: `of the from`. */
export const FUNCTION_RUN = 3
/** Most terms of one message: room for all words of a text of 100 000 characters. */
const TERMS_MAX = 50_000
/**
 * Words of one text that are stemmed; the rest of a longer text are taken as they are, which a query looks for too.
 * (Stemming is 0.04 ms a word in English, and up to 0.4 ms in others.)
 */
const STEMMED_MAX = 1500
const STEMMED_MAX_OTHERS = 300

export function hasDigit(text: string): boolean {
  return /[0-9]/.test(text) || (!isAscii(text) && /\p{N}/u.test(text))
}

/** Whether a compound is an identifier, which must be there as given: it has a digit, or a part as short as b. */
export function isIdentifier(compound: string): boolean {
  return hasDigit(compound) || hasShortPart(compound.split(/[-_.]/))
}

function hasShortPart(parts: readonly string[]): boolean {
  return parts.length > 1 && parts.some(part => part.length <= SHORT_PART_MAX)
}

/** A text as terms are made of it: composed characters, so that é is one however it was typed. */
export function normal(text: string): string {
  return isAscii(text) ? text : text.normalize('NFC')
}

/**
 * Lower case as words are compared in: with one sigma, and without the dot that some lower-case i have above
 * themselves.
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

export function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}

// A letter for each kind keeps, say, the word `ab` and the start of a hash apart.
const [WORD, COMPOUND_RUN, HASH_START, CJK, SYMBOL_KIND, SESSION, FUNCTION_WORDS] = [...'wchkysf'].map(letter =>
  letter.charCodeAt(0)
) as [number, number, number, number, number, number, number]

export const wordTerm = (hash: TermHash, word: string) => hash(WORD, word.slice(0, WORD_MAX))
export const compoundTerm = (hash: TermHash, parts: readonly string[]) => hash(COMPOUND_RUN, parts.join('-'))
export const hashStartTerm = (hash: TermHash, start: string) => hash(HASH_START, start)
export const cjkTerm = (hash: TermHash, characters: string) => hash(CJK, characters)
export const symbolTerm = (hash: TermHash, symbol: string) => hash(SYMBOL_KIND, symbol)
export const functionRunTerm = (hash: TermHash, words: readonly string[]) => hash(FUNCTION_WORDS, words.join(' '))
/** A term of a session: the terms of its messages are its exclusive or with those of their words. */
export const sessionTerm = (hash: TermHash, session_id: string) => hash(SESSION, session_id)

/** Whether a word may be cut into a stem: it is of letters alone. */
export const isStemmed = (word: string) => !hasDigit(word)

export interface Indexed {
  /** Sorted. */
  terms: Int32Array
  /** Its words of letters alone, two or more, cut at WORD_MAX: what the vocabulary keeps, for other spellings. */
  words: Set<string>
}

/** What a compound adds to a message, wherever it stands. */
interface Compound {
  terms: number[]
  words: string[]
  /** The word itself, if it is nothing but a function word. */
  function_word?: string
}

/**
 * All that one message is found by: each text (content, sender, each metadata value) for itself. A generator, since a
 * long text takes a while: whoever lets others have a turn goes on later.
 */
export function* termsOf(hash: TermHash, texts: readonly string[]): Generator<undefined, Indexed> {
  const terms = new Set<number>()
  const words = new Set<string>()
  for (const given of texts) {
    const text = normal(given)
    const ascii = isAscii(text)
    const spaced = ascii ? text : text.replaceAll(CJK_RUN, ' ')
    const compounds = spaced.match(ascii ? ASCII_COMPOUND : COMPOUND) ?? []
    const language = languageOf(compounds.slice(0, 80).map(lower))
    const of = compoundsOf(hash, language)
    const run: string[] = []
    let looked = 0
    for (const found of compounds) {
      const compound = of(found, terms.size < (language === ENGLISH ? STEMMED_MAX : STEMMED_MAX_OTHERS))
      for (const term of compound.terms) terms.add(term)
      for (const word of compound.words) words.add(word)
      if (compound.function_word === undefined) run.length = 0
      else if (run.push(compound.function_word) >= FUNCTION_RUN)
        terms.add(functionRunTerm(hash, run.slice(-FUNCTION_RUN)))
      if (++looked % 200 === 0) yield
    }
    for (const symbol of new Set(text.match(SYMBOL))) terms.add(symbolTerm(hash, symbol))
    if (!ascii)
      for (const [cjk] of text.matchAll(CJK_RUN)) {
        for (let i = 0; i < cjk.length; i++) {
          terms.add(cjkTerm(hash, cjk.slice(i, i + 1)))
          if (i > 0) terms.add(cjkTerm(hash, cjk.slice(i - 1, i + 1)))
        }
      }
  }
  return { terms: Int32Array.from([...terms].slice(0, TERMS_MAX)).sort(), words }
}

/** Texts say most of their compounds again and again. Longer ones are taken apart each time. */
const KEPT_LENGTH_MAX = 60
const remembered = new Remembered<Compound>()

function compoundsOf(hash: TermHash, language: Language): (compound: string, stemmed: boolean) => Compound {
  const kept = remembered.of(hash, language)
  return (text, stemmed) => {
    if (text.length > KEPT_LENGTH_MAX || !stemmed) return kept.now(text) ?? takeApart(hash, language, text, stemmed)
    return kept.get(text, own => takeApart(hash, language, own, true))
  }
}

// As COMPOUND has it, for texts without anything else, as most are: it takes a third of the time.
const ASCII_COMPOUND = /[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*/g

function takeApart(hash: TermHash, language: Language, compound: string, stemmed: boolean): Compound {
  const terms = new Set<number>()
  const words = new Set<string>()
  const add = (word: string) => {
    for (const one of wordsOf(word)) {
      for (const form of stemmed ? stemsOf(one, language) : [one]) terms.add(wordTerm(hash, form))
      if (one.length >= 2 && !hasDigit(one)) words.add(one.slice(0, WORD_MAX))
    }
  }
  const parts = compound.split(/[-_.]/)
  const lowered = parts.map(lower)
  if (parts.length === 1 && isFunctionWord(lowered[0] as string))
    return { terms: [], words: [], function_word: lowered[0] }
  for (const [i, part] of parts.entries()) {
    const word = lowered[i] as string
    add(word)
    const is_hash = isHash(word)
    if (is_hash)
      for (let length = HASH_START_MIN; length <= Math.min(HASH_START_MAX, word.length); length++)
        terms.add(hashStartTerm(hash, word.slice(0, length)))
    // Words all small, or with one capital at their beginning, are one piece.
    const inPieces = hasDigit(part) ? !is_hash : word !== part && !/^\p{Lu}?[^\p{Lu}]*$/u.test(part)
    if (inPieces) for (const [piece] of part.matchAll(PIECE)) add(lower(piece))
  }
  for (let length = 2; length <= Math.min(COMPOUND_PARTS_MAX, parts.length); length++)
    for (let from = 0; from + length <= parts.length; from++) {
      const run = lowered.slice(from, from + length)
      if (hasShortPart(run) || run.some(hasDigit)) terms.add(compoundTerm(hash, run))
    }
  return { terms: [...terms], words: [...words] }
}

/** A word, and it without accents. */
function wordsOf(word: string): string[] {
  const plain = unaccented(word)
  return plain === word ? [word] : [word, plain]
}

/** The stems that stand for a word of a text in a language: the English one always, which every query has too. */
export function stemsOf(word: string, language: Language): string[] {
  if (!isStemmed(word)) return [word]
  const english = stem(ENGLISH, word)
  const own = language === ENGLISH ? english : stem(language, word)
  return own === english ? [english] : [english, own]
}

function isHash(run: string): boolean {
  return run.length >= 8 && /^[0-9a-f]+$/.test(run) && /\d/.test(run)
}

/** Every string, number and boolean in a metadata object, at any depth. */
export function metadataValues(metadata: unknown): string[] {
  if (typeof metadata === 'string') return [metadata]
  if (typeof metadata === 'number' || typeof metadata === 'boolean') return [String(metadata)]
  if (typeof metadata !== 'object' || metadata === null) return []
  return Object.values(metadata).flatMap(metadataValues)
}
