import { editDistance } from '../../../src/kernel/edit-distance.js'
import type { Message } from '../corpus/messages.js'
import { mayRead } from '../viewer.js'
import { type Haystack, haystack } from './haystack.js'
import { tester } from './meaning.js'
import type { Query } from './query.js'

export interface Labelled extends Query {
  /** The numbers of all right messages of the session. */
  right: Set<number>
}

/**
 * Reads the session once and says for every query which messages are right, then drops the queries that turn out to
 * have another meaning than the one they were made with. Of each kind the first `each` stay.
 */
export function label(queries: Query[], messages: Iterable<Message>, each: number): Labelled[] {
  const labelled = queries.map(query => ({ ...query, right: new Set<number>() }))
  const find = finder(labelled)
  const known = new Set<string>()
  for (const message of messages) {
    if (!mayRead(message)) continue
    const hay = haystack(message)
    for (const word of hay.words) known.add(word)
    for (const query of find(hay)) query.right.add(message.seq)
  }
  const meant = new Map<string, number>()
  return labelled.filter(query => {
    const count = meant.get(query.kind) ?? 0
    if (count === each || !meansWhatItShould(query, known)) return false
    meant.set(query.kind, count + 1)
    return true
  })
}

/**
 * Which queries a message is right for. Words are looked up from the message's side, or a large session would take
 * minutes.
 */
function finder(queries: Labelled[]): (hay: Haystack) => Iterable<Labelled> {
  const byWord = new Map<string, Array<[Labelled, Test]>>()
  const others: Array<[Labelled, Test]> = []
  for (const query of queries) {
    const tests = query.needles.map(tester)
    const all: Test = hay => tests.length > 0 && tests.every(test => test(hay))
    // Contract §6: what stands there exactly as asked for is a right answer, whatever was meant.
    const exact = tester({ text: query.text.toLowerCase().replace(/\s+/gu, ' ').trim(), as: 'text' })
    const first = query.needles.find(needle => needle.as === 'word')?.text
    if (first === undefined) others.push([query, hay => exact(hay) || all(hay)])
    else {
      byWord.set(first, [...(byWord.get(first) ?? []), [query, all]])
      others.push([query, exact])
    }
  }
  return function* (hay) {
    for (const [query, test] of others) if (test(hay)) yield query
    for (const word of hay.words) {
      for (const [query, test] of byWord.get(word) ?? []) if (test(hay)) yield query
    }
  }
}

type Test = (hay: Haystack) => boolean

/**
 * A misspelling that is a word of the session means that word; one that is as near to another word means nothing
 * certain.
 */
function meansWhatItShould(query: Labelled, known: Set<string>): boolean {
  if (query.unknown.some(word => known.has(word))) return false
  if (query.needles.length > 0) {
    const { alone } = query
    return (
      query.right.has(query.target) && (alone === undefined || !isNear(query.text, alone.errors, known, alone.original))
    )
  }
  return (
    query.right.size === 0 &&
    query.unknown.every(word => !isNear(word, UNRECOGNISABLE, known) && !continues(word, known))
  )
}

/** Nobody reads a word through more errors than that. */
const UNRECOGNISABLE = 2

function isNear(typed: string, errors: number, known: Set<string>, except?: string): boolean {
  const letters = lettersOf(typed)
  for (const word of known) {
    if (word === except || Math.abs(word.length - typed.length) > errors) continue
    // An error takes one letter away and brings one at most: most words of a large session are ruled out by that alone.
    if (bits(lettersOf(word) ^ letters) <= 2 * errors && editDistance(typed, word, errors) <= errors) return true
  }
  return false
}

function lettersOf(word: string): number {
  let mask = 0
  for (let i = 0; i < word.length; i++) mask |= 1 << (word.charCodeAt(i) % 32)
  return mask
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}

function continues(typed: string, known: Set<string>): boolean {
  for (const word of known) if (word.length > typed.length && word.startsWith(typed)) return true
  return false
}
