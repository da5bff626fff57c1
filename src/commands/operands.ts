import { UsageError } from './command.js'

/** What a text operand says; `-` stands for the standard input, which holds what must not stand on a command line. */
export async function operandText(given: string): Promise<string> {
  if (given !== '-') return given
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

/** @throws UsageError if the value is not a whole number from `least` to `most` */
export function wholeNumber(name: string, value: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN
  if (number >= least && number <= most) return number
  const range = most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`
  throw new UsageError(`${name} must be a whole number${range}.`)
}

/** @returns milliseconds @throws UsageError if the value is not a number of seconds from `least` to `most` */
export function milliseconds(name: string, value: string, least: number, most: number): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(value) ? Number(value) : NaN
  if (seconds >= least && seconds <= most) return Math.round(seconds * 1000)
  throw new UsageError(`${name} must be a number of seconds from ${least} to ${most}.`)
}

/** @throws UsageError if the text is not JSON */
export function jsonValue(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${name} must be JSON; a text is in quotation marks: '"done"'.`)
  }
}
