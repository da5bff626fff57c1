import { hex, uuid } from '../corpus/identifiers.js'
import { inventedWord } from '../corpus/syllables.js'
import { contentWords } from './content-words.js'
import { values } from './haystack.js'
import { beyondRecognition } from './misspell.js'
import type { Maker } from './query.js'

const none = (text: string, ...unknown: string[]) => ({ text, needles: [], unknown })

/**
 * The same identifier with another number: worker-99 beside worker-9. Whether it is unknown shows when the session is
 * read.
 */
const unknownIdentifier: Maker = (message, random) => {
  const all = [message.sender, message.content, ...values(message.metadata)].join('\n')
  const found = [
    ...all.matchAll(/(?<![\w.-])(?:worker-\d+|[A-Z]+-\d{3,4}|(?:ingest|billing|indexer|mailer)-\d+|E\d{4})(?![\w.-])/gu)
  ].map(([id]) => id)
  if (found.length === 0) return undefined
  const id = random.pick(found)
  const [, name = '', digits = ''] = /^(.*?)(\d+)$/u.exec(id) ?? []
  return none(
    `${name}${random.chance(0.7) ? digits + String(random.int(0, 9)) : String(random.int(10 ** (digits.length - 1), 10 ** digits.length - 1))}`
  )
}

export const kindsWithoutAnswer: Record<string, Maker> = {
  'invented word': (_message, random) => {
    const word = inventedWord(random)
    return none(word, word)
  },
  'two invented words': (_message, random) => {
    const [a, b] = [inventedWord(random), inventedWord(random)]
    return none(`${a} ${b}`, a, b)
  },
  'invented word beside a known one'(message, random) {
    const known = contentWords(message.content, 5)
    if (known.length === 0) return undefined
    const invented = inventedWord(random)
    return none(
      random.chance(0.5) ? `${random.pick(known)} ${invented}` : `${invented} ${random.pick(known)}`,
      invented
    )
  },
  'unknown identifier': unknownIdentifier,
  'unseen start of a hash': (_message, random) => none(hex(random, random.int(7, 12))),
  'unseen start of a UUID': (_message, random) => none(uuid(random).slice(0, random.pick([8, 13, 18, 36]))),
  'misspelt beyond recognition'(message, random) {
    const able = contentWords(message.content, 7)
    if (able.length === 0) return undefined
    const typed = beyondRecognition(random.pick(able), random)
    return typed === undefined ? undefined : none(typed, typed)
  }
}
