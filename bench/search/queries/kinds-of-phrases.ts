import { contentWords } from './content-words.js'
import type { Maker } from './query.js'

const asItStands = (text: string) => ({ text, needles: [{ text: text.toLowerCase(), as: 'text' as const }] })

/** The query's length limit is 500; people stop much earlier. */
const LONGEST = 120

const phrase: Maker = (message, random) => {
  const tokens = message.content.split(/\s+/u)
  const count = random.int(3, 6)
  const from = random.int(0, Math.max(0, tokens.length - count))
  const text = tokens.slice(from, from + count).join(' ')
  if (text.length < 12 || text.length > LONGEST || contentWords(text).length === 0) return undefined
  return asItStands(random.chance(0.5) ? text.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '') : text)
}

const otherCase: Maker = (message, random, words) => {
  const made = phrase(message, random, words)
  if (made === undefined) return undefined
  const text = random.pick([
    made.text.toUpperCase(),
    made.text.toLowerCase(),
    made.text.replace(/\b[a-z]/gu, letter => letter.toUpperCase())
  ])
  return text === made.text ? undefined : { ...made, text }
}

/** What agents begin their messages with, to be found by each other. */
const heading: Maker = (message, random) => {
  const [found] =
    /^(TASK ASSIGNMENT: worker-\d+|Task \d+:|Decision [#\w-]+|Acknowledged: [\w -]+|COMPLETED: [\w -]+|@coordinator: Task '[^']+' completed by worker-\d+)/u.exec(
      message.content
    ) ?? []
  if (found === undefined) return undefined
  return asItStands(random.chance(0.3) ? found.toLowerCase() : found)
}

const traceLine: Maker = (message, random) => {
  const lines = message.content
    .split('\n')
    .map(line => line.trim())
    .filter(line => /^(at |File "|\w+(Error|Exception|Failure): )/u.test(line))
  if (lines.length === 0) return undefined
  const line = random.pick(lines)
  return line.length > LONGEST ? undefined : asItStands(line)
}

const cjk: Maker = (message, random) => {
  const runs = [
    ...message.content.matchAll(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー]+/gu)
  ].map(([run]) => [...run])
  if (runs.length === 0) return undefined
  const run = random.pick(runs)
  const length = Math.min(run.length, random.pick([1, 2, 2, 3, 4]))
  const from = random.int(0, run.length - length)
  return asItStands(run.slice(from, from + length).join(''))
}

export const kindsOfPhrases: Record<string, Maker> = {
  'exact phrase': phrase,
  'phrase in other case': otherCase,
  'heading of a message': heading,
  'line of a stack trace': traceLine,
  'CJK word': cjk
}
