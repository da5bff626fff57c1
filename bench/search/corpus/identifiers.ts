import type { Random } from './random.js'
import type { Vocabulary } from './vocabulary.js'

const HEX = '0123456789abcdef'

export function hex(random: Random, length: number): string {
  let out = ''
  while (out.length < length) out += HEX[random.int(0, 15)]
  return out
}

export function uuid(random: Random): string {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-${HEX[random.int(8, 11)]}${hex(random, 3)}-${hex(random, 12)}`
}

function parts(random: Random, words: Vocabulary, count = random.int(2, 4)): string[] {
  return Array.from({ length: count }, (_, i) =>
    i === 0 && random.chance(0.5)
      ? random.zipf(words.verbs).replace('+', '')
      : random.chance(0.08)
        ? random.zipf(words.names).toLowerCase()
        : random.zipf(words.technical)
  )
}

export const snakeCase = (random: Random, words: Vocabulary) => parts(random, words).join('_')
export const kebabCase = (random: Random, words: Vocabulary) => parts(random, words).join('-')
export const camelCase = (random: Random, words: Vocabulary) =>
  parts(random, words)
    .map((part, i) => (i === 0 ? part : capital(part)))
    .join('')
export const className = (random: Random, words: Vocabulary) => parts(random, words).map(capital).join('')

/** An identifier in one of the usual ways of writing them. */
export function identifier(random: Random, words: Vocabulary): string {
  const how = random.next()
  return how < 0.35
    ? snakeCase(random, words)
    : how < 0.65
      ? camelCase(random, words)
      : how < 0.85
        ? kebabCase(random, words)
        : className(random, words)
}

const FOLDERS = ['src', 'lib', 'test', 'packages', 'services', 'internal', 'cmd', 'app', 'deploy', 'scripts', 'docs']
const ENDINGS = ['ts', 'py', 'go', 'rs', 'java', 'sql', 'yaml', 'json', 'md', 'sh', 'tsx', 'tf']

export function path(random: Random, words: Vocabulary): string {
  const folders = Array.from({ length: random.int(1, 3) }, () => random.zipf(words.technical))
  const file = random.chance(0.5) ? snakeCase(random, words) : kebabCase(random, words)
  return [random.pick(FOLDERS), ...folders, `${file}.${random.pick(ENDINGS)}`].join('/')
}

const PROJECTS = ['PRP', 'OPS', 'CORE', 'SEC', 'DATA', 'WEB', 'INFRA', 'BILL', 'AUTH', 'ML']

export function ticket(random: Random): string {
  return random.chance(0.75)
    ? `${random.pick(PROJECTS)}-${String(random.int(1, 4999)).padStart(3, '0')}`
    : `#${random.int(100, 9999)}`
}

/** Numbers as they stand in texts: counts, codes, versions, ports. */
export function number(random: Random): string {
  const how = random.next()
  if (how < 0.35) return String(random.int(10, 99_999))
  if (how < 0.55) return `${random.int(0, 12)}.${random.int(0, 40)}.${random.int(0, 30)}`
  if (how < 0.75) return `E${random.int(1000, 9999)}`
  if (how < 0.9) return `0x${hex(random, 6)}`
  return `${random.int(1, 99)}.${random.int(0, 99)}`
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
