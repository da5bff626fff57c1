import { hex, number, path, ticket, uuid } from './identifiers.js'
import { name, type Pen, thing } from './prose.js'
import { gerund } from './inflect.js'
import { ACCENTED, CJK } from './words.js'

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Nearly half of the messages have some; values are nested now and then. */
export function metadata(pen: Pen): Record<string, unknown> {
  const { random, words } = pen
  if (random.chance(0.55)) return {}
  const all: Array<() => [string, unknown]> = [
    () => ['task', capitalised(`${gerund(random.zipf(words.verbs))} ${thing(pen)}`)],
    () => ['priority', random.pick(['low', 'normal', 'urgent'])],
    () => ['ticket', ticket(random)],
    () => ['status', random.pick(['open', 'closed', 'blocked', 'merged'])],
    () => ['labels', Array.from({ length: random.int(1, 3) }, () => random.zipf(words.technical))],
    () => ['file', path(random, words)],
    () => ['trace', { id: uuid(random), span: hex(random, 16), sampled: random.chance(0.5) }],
    () => ['owner', { name: `${name(pen)} ${name(pen)}`, team: thing(pen) }],
    () => ['timing', { ms: random.int(1, 9000), queue: random.zipf(words.technical), retries: random.int(0, 4) }],
    () => ['version', number(random)],
    () => [
      'place',
      {
        region: random.pick(['eu-central-1', 'us-east-2', 'ap-south-1']),
        city: random.pick(ACCENTED),
        note: random.chance(0.3) ? random.pick(CJK) : null
      }
    ]
  ]
  return Object.fromEntries(
    random
      .shuffle(all)
      .slice(0, random.int(1, 4))
      .map(make => make())
  )
}
