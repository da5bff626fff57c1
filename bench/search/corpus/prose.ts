import { identifier, number, path, ticket } from './identifiers.js'
import { bare, gerund, past, plural, thirdPerson } from './inflect.js'
import type { Random } from './random.js'
import type { Vocabulary } from './vocabulary.js'
import { ACCENTED, CJK, EMOJI, SHORT_WORDS } from './words.js'

/** What one message writes with: its words, a good part of them from the topic it is about. */
export interface Pen {
  random: Random
  words: Vocabulary
  topic: Topic
}

/** Words that go together: messages about one thing share them, which is what makes search hard. */
export interface Topic {
  nouns: string[]
  verbs: string[]
  adjectives: string[]
  names: string[]
}

const FROM_TOPIC = 0.45

const verb = ({ random, words, topic }: Pen) =>
  random.chance(FROM_TOPIC) ? random.pick(topic.verbs) : random.zipf(words.verbs)
const adjective = ({ random, words, topic }: Pen) =>
  random.chance(FROM_TOPIC) ? random.pick(topic.adjectives) : random.zipf(words.adjectives)

export function noun({ random, words, topic }: Pen): string {
  if (random.chance(FROM_TOPIC)) return random.pick(topic.nouns)
  return random.chance(0.5) ? random.zipf(words.nouns) : random.zipf(words.technical)
}

export function name({ random, words, topic }: Pen): string {
  return random.chance(FROM_TOPIC) ? random.pick(topic.names) : random.zipf(words.names)
}

/** A thing spoken of, without an article: "stale replication lag". */
export function thing(pen: Pen): string {
  const { random } = pen
  const head = random.chance(0.25) ? plural(noun(pen)) : noun(pen)
  const how = random.next()
  if (how < 0.3) return `${adjective(pen)} ${head}`
  if (how < 0.55) return `${noun(pen)} ${head}`
  if (how < 0.65) return `${adjective(pen)} ${noun(pen)} ${head}`
  return head
}

function reference(pen: Pen): string {
  const { random, words } = pen
  const how = random.next()
  if (how < 0.4) return `\`${identifier(random, words)}\``
  if (how < 0.55) return path(random, words)
  if (how < 0.7) return ticket(random)
  if (how < 0.85) return name(pen)
  return `the ${random.pick(SHORT_WORDS)}`
}

function phrase(pen: Pen): string {
  const { random } = pen
  if (random.chance(0.14)) return reference(pen)
  const article = random.pick(['the', 'the', 'the', 'a', 'this', 'our', 'every', 'that', 'its', 'no', 'another'])
  return random.chance(0.12) ? `${article} ${thing(pen)} of the ${noun(pen)}` : `${article} ${thing(pen)}`
}

function place(pen: Pen): string {
  const { random } = pen
  if (random.chance(0.5)) return ''
  return ` ${random.pick(['in', 'for', 'during', 'with', 'from', 'after', 'before', 'without', 'behind', 'on', 'under', 'between runs of', 'because of', 'instead of'])} ${phrase(pen)}`
}

function clause(pen: Pen): string {
  const { random } = pen
  const v = verb(pen)
  switch (random.int(0, 11)) {
    case 0:
      return `${phrase(pen)} ${thirdPerson(v)} ${phrase(pen)}${place(pen)}`
    case 1:
      return `we ${random.pick(['should', 'need to', 'have to', 'can', 'must', 'could', 'will not'])} ${bare(v)} ${phrase(pen)}${place(pen)}`
    case 2:
      return `${phrase(pen)} ${random.pick(['was', 'is', 'gets', 'was never', 'has been'])} ${past(v)}${place(pen)}`
    case 3:
      return `I ${past(v)} ${phrase(pen)} and ${past(verb(pen))} ${phrase(pen)}`
    case 4:
      return `${phrase(pen)} is ${adjective(pen)}${place(pen)}`
    case 5:
      return `${gerund(v)} ${phrase(pen)} ${random.pick(['takes', 'costs', 'needs', 'saves', 'avoids'])} ${phrase(pen)}`
    case 6:
      return `${random.zipf(pen.words.adverbs)} ${phrase(pen)} ${past(v)}${place(pen)}`
    case 7:
      return `there is ${random.pick(['a', 'no', 'one more'])} ${thing(pen)}${place(pen)}`
    case 8:
      return `${name(pen)} ${past(v)} ${phrase(pen)}${place(pen)}`
    case 9:
      return `it ${thirdPerson(v)} ${random.int(2, 900)} ${plural(noun(pen))} ${random.pick(['per second', 'a day', 'at once', 'in a row'])}`
    case 10:
      return `${random.pick(['please', 'let us', 'do not', 'remember to'])} ${bare(v)} ${phrase(pen)}${place(pen)}`
    default:
      return `${phrase(pen)} ${thirdPerson(v)}${place(pen)}`
  }
}

export function sentence(pen: Pen): string {
  const { random } = pen
  const how = random.next()
  if (how < 0.02) return foreign(pen)
  let text = clause(pen)
  if (how < 0.22)
    text += ` ${random.pick(['when', 'because', 'until', 'unless', 'so that', 'while', 'although', 'which means'])} ${clause(pen)}`
  if (how > 0.97) text += ` (${random.pick(ACCENTED)})`
  else if (how > 0.92) text += `, see ${random.chance(0.5) ? ticket(random) : number(random)}`
  const end = random.next()
  return (
    text.charAt(0).toUpperCase() +
    text.slice(1) +
    (end < 0.82 ? '.' : end < 0.9 ? '?' : end < 0.94 ? '!' : end < 0.97 ? `. ${random.pick(EMOJI)}` : ':')
  )
}

function foreign({ random }: Pen): string {
  return random.chance(0.6)
    ? Array.from({ length: random.int(2, 5) }, () => random.pick(CJK)).join(random.chance(0.3) ? ' ' : '') + '。'
    : `${Array.from({ length: random.int(2, 4) }, () => random.pick(ACCENTED)).join(' ')}.`
}

/** Sentences up to about `length` characters. */
export function prose(pen: Pen, length: number): string {
  let text = sentence(pen)
  while (text.length < length) text += (pen.random.chance(0.12) ? '\n' : ' ') + sentence(pen)
  return text
}
