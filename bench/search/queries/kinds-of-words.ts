import type { Random } from '../corpus/random.js'
import { contentWords, neighbouringWords } from './content-words.js'
import type { Needle } from './meaning.js'
import { extraLetter, missingLetter, type Slip, swappedLetters, twoErrors, wrongLetter } from './misspell.js'
import type { Maker } from './query.js'

const word = (text: string): Needle => ({ text, as: 'word' })

/** Tries before a slip that gives a word of its own again is given up. */
const TRIES = 12

/** One to three words of a message, one or more of them misspelt. */
function misspelt(slip: Slip, errors: number, shortest: number): Maker {
  return (message, random, words) => {
    const count = random.pick([1, 2, 2, 3, 3])
    const originals = neighbouringWords(message.content, count, random)
    if (originals === undefined) return undefined
    const typed = [...originals]
    const able = random
      .shuffle(originals.map((_, i) => i))
      .filter(i => (originals[i] as string).length >= (count === 1 ? shortest + 2 : shortest))
    const slips = able.filter((_, nth) => nth === 0 || random.chance(0.4))
    if (slips.length === 0) return undefined
    for (const i of slips) {
      const wrong = attempt(slip, originals[i] as string, random, words.known)
      if (wrong === undefined) return undefined
      typed[i] = wrong
    }
    return {
      text: typed.join(' '),
      needles: originals.map(word),
      unknown: slips.map(i => typed[i] as string),
      ...(count === 1 && { alone: { original: originals[0] as string, errors } })
    }
  }
}

function attempt(slip: Slip, original: string, random: Random, known: Set<string>): string | undefined {
  for (let i = 0; i < TRIES; i++) {
    const typed = slip(original, random)
    if (typed !== undefined && typed !== original && !known.has(typed)) return typed
  }
  return undefined
}

const partial: Maker = (message, random) => {
  const originals = neighbouringWords(message.content, random.pick([1, 2, 2]), random, 6)
  if (originals === undefined) return undefined
  const typed = originals.map((original, i) =>
    i > 0 && random.chance(0.4)
      ? original
      : original.slice(0, Math.max(4, Math.ceil(original.length * (0.5 + 0.3 * random.next()))))
  )
  return typed[0] === originals[0]
    ? undefined
    : { text: typed.join(' '), needles: typed.map(text => ({ text, as: 'start' })) }
}

const reordered: Maker = (message, random) => {
  const originals = neighbouringWords(message.content, random.int(3, 4), random)
  if (originals === undefined) return undefined
  const typed = random.shuffle(originals)
  return typed.join() === originals.join() ? undefined : { text: typed.join(' '), needles: originals.map(word) }
}

const scattered: Maker = (message, random) => {
  const all = contentWords(message.content)
  const third = Math.floor(all.length / 3)
  if (third < 3) return undefined
  const chosen = [...new Set([0, 1, 2].map(i => all[i * third + random.int(0, third - 1)] as string))]
  return chosen.length < 3 ? undefined : { text: chosen.join(' '), needles: chosen.map(word) }
}

const QUESTIONS: Array<(a: string, b: string) => string> = [
  (a, b) => `what do we know about the ${a} and the ${b}?`,
  (a, b) => `why was the ${a} ${b}?`,
  (a, b) => `where is the ${a} of the ${b}?`,
  (a, b) => `who did the ${a} for ${b}?`,
  (a, b) => `how do we do the ${a} for our ${b}?`,
  (a, b) => `what happened to the ${a} in the ${b}?`,
  (a, b) => `is there anything on ${a} ${b}?`,
  (a, b) => `did anyone say something about ${a} and ${b}`,
  (a, b) => `when have you been told that the ${a} is ${b}?`,
  (a, b) => `which ${a} has the ${b} from before?`,
  (a, b) => `can someone please tell me about ${a} ${b}`,
  (a, b) => `was there ever a ${a} with ${b}?`
]

const question: Maker = (message, random) => {
  const originals = neighbouringWords(message.content, 2, random, 5)
  if (originals === undefined) return undefined
  return { text: random.pick(QUESTIONS)(originals[0] as string, originals[1] as string), needles: originals.map(word) }
}

export const kindsOfWords: Record<string, Maker> = {
  'wrong letter': misspelt(wrongLetter, 1, 5),
  'transposed letters': misspelt(swappedLetters, 1, 5),
  'missing letter': misspelt(missingLetter, 1, 5),
  'extra letter': misspelt(extraLetter, 1, 5),
  'two errors in a word': misspelt(twoErrors, 2, 7),
  'partial word': partial,
  'reordered words': reordered,
  'scattered words': scattered,
  'plain question': question
}
