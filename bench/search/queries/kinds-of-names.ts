import type { Random } from '../corpus/random.js'
import { EMOJI, SHORT_WORDS } from '../corpus/words.js'
import { contentWords } from './content-words.js'
import { values } from './haystack.js'
import type { Message } from '../corpus/messages.js'
import type { Needle } from './meaning.js'
import type { Maker, Query } from './query.js'

const text = (name: string): Needle => ({ text: name.toLowerCase(), as: 'text' })

/** All that a person could have copied from. */
const whole = (message: Message) => [message.content, ...values(message.metadata)].join('\n')

function one(random: Random, where: string, pattern: RegExp): string | undefined {
  const all = [...where.matchAll(pattern)].map(([found]) => found)
  return all.length === 0 ? undefined : random.pick(all)
}

/** A name by itself or, as likely, with a word of the message. */
function perhapsWithWord(
  message: Message,
  random: Random,
  typed: string,
  needle: Needle,
  alone = 0.5
): Pick<Query, 'text' | 'needles'> | undefined {
  if (random.chance(alone)) return { text: typed, needles: [needle] }
  const words = contentWords(message.content).filter(word => !typed.toLowerCase().includes(word))
  if (words.length === 0) return undefined
  const word = random.pick(words)
  return {
    text: random.chance(0.5) ? `${typed} ${word}` : `${word} ${typed}`,
    needles: [needle, { text: word, as: 'word' }]
  }
}

function written(pattern: RegExp): Maker {
  return (message, random) => {
    const found = one(random, message.content, pattern)
    return found === undefined
      ? undefined
      : perhapsWithWord(message, random, random.chance(0.2) ? found.toLowerCase() : found, text(found))
  }
}

const path: Maker = (message, random) => {
  const found = one(random, whole(message), /(?<![\w/.])[a-z]+(?:\/[\w-]+)+\.[a-z]+(?::\d+)?/gu)
  if (found === undefined) return undefined
  const typed = random.pick([
    found,
    found.replace(/:\d+$/u, ''),
    found.replace(/^.*\//u, ''),
    found.split('/').slice(-2).join('/')
  ])
  return { text: typed, needles: [text(typed)] }
}

const uuid: Maker = (message, random) => {
  const found = one(random, whole(message), /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gu)
  if (found === undefined) return undefined
  const typed = random.pick([
    found,
    found.slice(0, 8),
    found.slice(0, 8),
    found.slice(0, 13),
    found.slice(0, random.int(9, 30)).replace(/-$/u, '')
  ])
  return { text: typed, needles: [{ text: typed, as: 'open' }] }
}

const hash: Maker = (message, random) => {
  const found = one(random, whole(message), /\b[0-9a-f]{40}\b/gu)
  if (found === undefined) return undefined
  const typed = found.slice(0, random.pick([7, 7, 8, 8, 10, 12, 40]))
  return { text: typed, needles: [{ text: typed, as: 'open' }] }
}

const number: Maker = (message, random) => {
  const found = one(
    random,
    whole(message),
    /(?<![\w.#-])(?:[A-Z]+-\d{3,4}|#\d{3,4}|E\d{4}|0x[0-9a-f]{6}|\d{1,2}\.\d{1,2}\.\d{1,2}|\d{4,5})(?![\w.-])/gu
  )
  return found === undefined
    ? undefined
    : perhapsWithWord(message, random, random.chance(0.25) ? found.toLowerCase() : found, text(found), 0.6)
}

const sender: Maker = (message, random) => {
  const surname = /^[^.]+\.(.+)$/u.exec(message.sender)?.[1]
  if (surname !== undefined && random.chance(0.3))
    return perhapsWithWord(message, random, surname, { text: surname, as: 'word' })
  return perhapsWithWord(message, random, message.sender, text(message.sender), 0.4)
}

const metadataValue: Maker = (message, random) => {
  const texts = values(message.metadata).filter(
    value => /^\p{L}[\p{L} ]{3,}$/u.test(value) && value !== 'true' && value !== 'false'
  )
  if (texts.length === 0) return undefined
  const value = random.pick(texts)
  if (random.chance(0.5)) return { text: value, needles: [text(value)] }
  const words = contentWords(value)
  if (words.length === 0) return undefined
  const typed = random.pick(words)
  return perhapsWithWord(message, random, typed, { text: typed, as: 'word' }, 0)
}

const short: Maker = (message, random) => {
  const found = one(
    random,
    message.content,
    new RegExp(`(?<![\\p{L}\\p{N}_./-])(?:${SHORT_WORDS.join('|')})(?![\\p{L}\\p{N}_/-])`, 'gu')
  )
  return found === undefined ? undefined : perhapsWithWord(message, random, found, { text: found, as: 'word' })
}

const accented: Maker = (message, random) => {
  const found = one(
    random,
    message.content,
    /(?<![\p{L}\p{N}])\p{L}*(?:[à-ÿÀ-ÖØ-Þ]|[Ā-ɏ]|\p{Script=Cyrillic})\p{L}*(?![\p{L}\p{N}])/gu
  )
  if (found === undefined) return undefined
  return perhapsWithWord(message, random, random.chance(0.4) ? found.toLowerCase() : found, {
    text: found.toLowerCase(),
    as: 'word'
  })
}

const emoji: Maker = (message, random) => {
  const found = EMOJI.filter(one => message.content.includes(one))
  if (found.length === 0) return undefined
  const typed = random.pick(found)
  return perhapsWithWord(message, random, typed, text(typed), 0.6)
}

export const kindsOfNames: Record<string, Maker> = {
  snake_case: written(/(?<![\w./-])[a-z]+(?:_[a-z]+)+(?![\w/-]|\.\w)/gu),
  camelCase: written(/(?<![\w./-])[a-z]+(?:[A-Z][a-z]+)+(?![\w/-])/gu),
  'kebab-case': written(/(?<![\w./-])[a-z]+(?:-[a-z]+)+(?![\w/-]|\.\w)/gu),
  'file path': path,
  'UUID or its start': uuid,
  'hash or its start': hash,
  'number or ticket': number,
  sender: sender,
  'metadata value': metadataValue,
  'short word': short,
  'accented word': accented,
  emoji: emoji
}
