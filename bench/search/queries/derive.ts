import type { Message } from '../corpus/messages.js'
import { random } from '../corpus/random.js'
import type { Vocabulary } from '../corpus/vocabulary.js'
import { mayRead } from '../viewer.js'
import { kindsOfNames } from './kinds-of-names.js'
import { kindsOfPhrases } from './kinds-of-phrases.js'
import { kindsOfWords } from './kinds-of-words.js'
import { kindsWithoutAnswer } from './kinds-without-answer.js'
import type { Maker, Query } from './query.js'

export const answered: Record<string, Maker> = { ...kindsOfPhrases, ...kindsOfWords, ...kindsOfNames }
export const unanswered: Record<string, Maker> = kindsWithoutAnswer

/** Messages looked at for one query before its kind is given up: CJK stands in few of them. */
const TRIES = 3000

/** Some queries of every kind given, each from a message of the session drawn by the seed. */
export function derive(
  makers: Record<string, Maker>,
  each: number,
  words: Vocabulary,
  message: (seq: number) => Message,
  size: number
): Query[] {
  return Object.entries(makers).flatMap(([kind, make]) => {
    const made = new Map<string, Query>()
    const draw = random(`${words.seed}/queries/${size}/${kind}`)
    for (let tries = 0; made.size < each && tries < TRIES; tries++) {
      const target = message(draw.int(1, size))
      if (!mayRead(target)) continue
      const query = make(target, draw, words)
      if (query !== undefined)
        made.set(query.text, { kind, target: target.seq, about: target.kind, unknown: [], ...query })
    }
    return [...made.values()]
  })
}
