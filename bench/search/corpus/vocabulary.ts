import { bare, gerund, past, plural, thirdPerson } from './inflect.js'
import { random } from './random.js'
import { syllableName } from './syllables.js'
import { ADJECTIVES, ADVERBS, FUNCTION_WORDS, NOUNS, SHORT_WORDS, TECHNICAL, VERBS } from './words.js'

export type Half = 'dev' | 'held-out'

/** What is fixed for a whole corpus: its words, the most frequent first. */
export interface Vocabulary {
  seed: string
  verbs: string[]
  nouns: string[]
  technical: string[]
  adjectives: string[]
  adverbs: string[]
  /** Names of projects, services and people that no dictionary has; the long tail of what is searched for. */
  names: string[]
  /** All words known without reading the texts, lower-cased: a misspelling must not be one of them. */
  known: Set<string>
}

const NAMES = 20_000

/**
 * The halves share most words but not their frequencies, and three in twenty words of each are the other's not: what is
 * tuned on one half cannot lean on the words of the other.
 */
export function vocabulary(seed: string, half: Half): Vocabulary {
  const own = half === 'dev' ? [0, 1, 2] : [3, 4, 5]
  const ranked = (list: readonly string[], name: string) => {
    const kept = list.filter(word => {
      const group = random(`${seed}/group/${word}`).int(0, 19)
      return group > 5 || own.includes(group)
    })
    return random(`${seed}/${half}/rank/${name}`).shuffle(kept)
  }
  const verbs = ranked(VERBS, 'verbs')
  const nouns = ranked(NOUNS, 'nouns')
  const technical = ranked(TECHNICAL, 'technical')
  const adjectives = ranked(ADJECTIVES, 'adjectives')
  const adverbs = ranked(ADVERBS, 'adverbs')
  const names = [...new Set(Array.from({ length: NAMES }, (_, i) => syllableName(random(`${seed}/${half}/name/${i}`))))]
  const known = new Set([
    ...VERBS.flatMap(verb => [bare(verb), thirdPerson(verb), past(verb), gerund(verb)]),
    ...[...NOUNS, ...TECHNICAL].flatMap(noun => [noun, plural(noun)]),
    ...ADJECTIVES,
    ...ADVERBS,
    ...FUNCTION_WORDS,
    ...SHORT_WORDS,
    ...names.map(name => name.toLowerCase())
  ])
  return { seed: `${seed}/${half}`, verbs, nouns, technical, adjectives, adverbs, names, known }
}
