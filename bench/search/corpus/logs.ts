import { camelCase, className, hex, kebabCase, number, path, snakeCase, uuid } from './identifiers.js'
import { noun, type Pen, sentence, thing } from './prose.js'
import { bare, gerund } from './inflect.js'

/** Lines of a log, some with a stack trace. */
export function logs(pen: Pen, length: number, at: string): string {
  const { random, words } = pen
  let text = line(pen, at)
  if (random.chance(0.3)) text += `\n${trace(pen, Math.max(2, Math.round((length - text.length) / 75)))}`
  while (text.length < length) text += `\n${line(pen, at)}`
  return random.chance(0.1) ? `${text}\nhost=${kebabCase(random, words)} build=${number(random)}` : text
}

function line(pen: Pen, at: string): string {
  const { random, words } = pen
  const time = at.slice(0, 17) + String(random.int(0, 59)).padStart(2, '0') + at.slice(19)
  const level = random.pick(['INFO', 'INFO', 'INFO', 'WARN', 'ERROR', 'DEBUG', 'FATAL'])
  const logger = random.chance(0.5)
    ? `[${kebabCase(random, words)}]`
    : `${random.zipf(words.technical)}.${className(random, words)}`
  return `${time} ${level} ${logger} ${happening(pen)}`
}

function happening(pen: Pen): string {
  const { random, words } = pen
  switch (random.int(0, 8)) {
    case 0:
      return `request_id=${uuid(random)} ${snakeCase(random, words)}=${random.int(1, 9999)} duration_ms=${random.int(1, 30_000)}`
    case 1:
      return `failed to ${bare(random.zipf(words.verbs))} ${thing(pen)}: ${random.pick(['connection refused', 'timed out', 'permission denied', 'no such file', 'broken pipe', 'out of memory'])}`
    case 2:
      return `GET /${random.zipf(words.technical)}/${hex(random, 12)} ${random.pick(['200', '201', '304', '404', '409', '500', '503'])} ${random.int(1, 4000)}ms`
    case 3:
      return `${gerund(random.zipf(words.verbs))} ${thing(pen)} attempt=${random.int(1, 9)} code=E${random.int(1000, 9999)}`
    case 4:
      return `commit ${hex(random, 40)} deployed to ${kebabCase(random, words)}`
    case 5:
      return `${noun(pen)} ${noun(pen)} ${random.pick(['started', 'stopped', 'is slow', 'recovered', 'was skipped'])} after ${number(random)}s`
    default:
      return sentence(pen)
  }
}

function trace(pen: Pen, frames: number): string {
  const { random, words } = pen
  const error = `${className(random, words)}${random.pick(['Error', 'Exception', 'Failure'])}: ${thing(pen)} ${random.pick(['is not a function', 'is undefined', 'must not be null', 'out of range', 'already closed'])}`
  const frame = random.pick([
    () => `    at ${camelCase(random, words)} (/srv/${path(random, words)}:${random.int(1, 900)}:${random.int(1, 80)})`,
    () => `  File "/opt/${path(random, words)}", line ${random.int(1, 900)}, in ${snakeCase(random, words)}`,
    () =>
      `\tat com.${random.zipf(words.names).toLowerCase()}.${random.zipf(words.technical)}.${className(random, words)}.${camelCase(random, words)}(${className(random, words)}.java:${random.int(1, 900)})`
  ])
  return [error, ...Array.from({ length: Math.min(frames, 16) }, frame)].join('\n')
}
