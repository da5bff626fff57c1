import type { Message } from '../corpus/messages.js'
import type { Random } from '../corpus/random.js'
import type { Vocabulary } from '../corpus/vocabulary.js'
import type { Needle } from './meaning.js'

export interface Query {
  kind: string
  text: string
  /** All of them must be in a message for it to be right; empty for a query that has no right answer. */
  needles: Needle[]
  /** The number of the message it was made from, and that message's kind of text. */
  target: number
  about: Message['kind']
  /** Words as typed that must be no words of the session, or the query would have another meaning. */
  unknown: string[]
  /** Errors in a word that stands alone: where another word is as near, no one could say which was meant. */
  alone?: { original: string; errors: number }
}

/** What a kind makes of a message; undefined where the message has nothing for it. */
export type Maker = (
  message: Message,
  random: Random,
  words: Vocabulary
) => (Pick<Query, 'text' | 'needles'> & Partial<Pick<Query, 'unknown' | 'alone'>>) | undefined
