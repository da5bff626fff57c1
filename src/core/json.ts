import { AppError } from './errors.js'

/** Deepest nesting of arrays and objects that is taken (contract §2). */
const JSON_DEPTH_MAX = 64

// A high surrogate without its low one, or the other way round: not a character, and PostgreSQL cannot store it.
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** Most values in one request: more than a mebibyte of JSON can hold, so that only nonsense is refused. */
const VALUES_MAX = 1_000_000

/**
 * Refuses what JSON can say but PostgreSQL or a double cannot hold: NUL and lone surrogates in a string or a key, integers
 * beyond ±(2^53 − 1), overflowed numbers, nesting deeper than 64, and a key `__proto__`.
 * Iterative, so that a body nested ten thousand deep cannot exhaust the stack.
 * @throws AppError INVALID_INPUT naming the path
 */
export function refuseUnstorable (root: unknown): void {
  // Parallel stacks instead of objects: a value of a mebibyte can have half a million entries.
  const values: unknown[] = [root]
  const depths: number[] = [0]
  const tops: string[] = ['']
  let seen = 0
  while (values.length > 0) {
    const value = values.pop()
    const depth = depths.pop() as number
    const top = tops.pop() as string
    if (typeof value === 'string') {
      refuseText(value, top)
    } else if (typeof value === 'number') {
      refuseNumber(value, top)
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= JSON_DEPTH_MAX) {
        throw new AppError('INVALID_INPUT', `The argument '${top}' is nested deeper than ${JSON_DEPTH_MAX} levels.`, {
          context: { argument: top, given: 'deeper nesting', allowed: `at most ${JSON_DEPTH_MAX} levels` },
          suggestions: ['Flatten the structure, or send it as a string of JSON']
        })
      }
      if (Array.isArray(value)) {
        seen += value.length
        if (seen > VALUES_MAX) throw tooManyValues(top)
        for (const inner of value as unknown[]) {
          // Most of a long array is numbers and texts: looked at here, without a place on the stacks.
          if (typeof inner === 'string') refuseText(inner, top)
          else if (typeof inner === 'number') refuseNumber(inner, top)
          else if (typeof inner === 'object' && inner !== null) {
            values.push(inner)
            depths.push(depth + 1)
            tops.push(top)
          }
        }
        continue
      }
      for (const key of Object.keys(value)) {
        if (++seen > VALUES_MAX) throw tooManyValues(top)
        // Cut: an error must not repeat at length what a caller sent.
        const argument = depth === 0 ? [...key.slice(0, 120)].slice(0, 60).join('') : top
        if (key === '__proto__') {
          throw new AppError('INVALID_INPUT', 'The name __proto__ is not taken as a key.', {
            context: { argument, given: 'a key __proto__', allowed: 'any other key' }
          })
        }
        refuseText(key, argument)
        values.push((value as Record<string, unknown>)[key])
        depths.push(depth + 1)
        tops.push(argument)
      }
    }
  }
}

function tooManyValues (argument: string): AppError {
  return new AppError('INVALID_INPUT', `The argument '${argument}' holds more than ${VALUES_MAX} values.`, {
    context: { argument, given: 'more values', allowed: `at most ${VALUES_MAX} values` },
    suggestions: ['Split the content over several calls']
  })
}

function refuseText (text: string, argument: string): void {
  const given = text.includes('\u0000') ? 'a NUL character' : LONE_SURROGATE.test(text) ? 'half of a surrogate pair' : undefined
  if (given === undefined) return
  const name = argument.replace(/[\u0000\uD800-\uDFFF]/g, '?')
  throw new AppError('INVALID_INPUT', `The argument '${name}' holds ${given}, which is not a character of text.`, {
    context: { argument: name, given, allowed: 'Unicode text without NUL and lone surrogates' },
    suggestions: ['Remove the character, or encode binary data as base64']
  })
}

function refuseNumber (value: number, argument: string): void {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return
  throw new AppError('INVALID_INPUT', `The argument '${argument}' holds a number that cannot be carried exactly.`, {
    context: { argument, given: 'a number beyond ±9007199254740991', allowed: 'numbers a double holds' },
    suggestions: ['Send the number as a string']
  })
}

/** JSON text with the keys of every object in order, so that equal values give equal texts (for hashes). */
export function canonicalJson (value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner)
}
