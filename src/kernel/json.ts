import { AppError } from './errors.js'
import { JSON_DEPTH_MAX, JSON_VALUES_MAX } from './json-scan.js'

/**
 * Refuses what JSON can say but PostgreSQL or a double cannot hold: NUL and lone surrogates in a string or a key,
 * numbers that overflow, or integers that lose digits (JsonScan makes these Infinity too), nesting deeper than 64, and
 * a key `__proto__`. Iterative, so that a body nested ten thousand deep cannot exhaust the stack.
 * @throws AppError INVALID_INPUT naming the path
 */
export function refuseUnstorable(root: unknown): void {
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
        if (seen > JSON_VALUES_MAX) throw tooManyValues(top)
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
        if (++seen > JSON_VALUES_MAX) throw tooManyValues(top)
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

function tooManyValues(argument: string): AppError {
  return new AppError('INVALID_INPUT', `The argument '${argument}' holds more than ${JSON_VALUES_MAX} values.`, {
    context: { argument, given: 'more values', allowed: `at most ${JSON_VALUES_MAX} values` },
    suggestions: ['Split the content over several calls']
  })
}

function refuseText(text: string, argument: string): void {
  const given = text.includes('\u0000')
    ? 'a NUL character'
    : text.isWellFormed()
      ? undefined
      : 'half of a surrogate pair'
  if (given === undefined) return
  const name = argument.replace(/[\u0000\uD800-\uDFFF]/g, '?')
  throw new AppError('INVALID_INPUT', `The argument '${name}' holds ${given}, which is not a character of text.`, {
    context: { argument: name, given, allowed: 'Unicode text without NUL and lone surrogates' },
    suggestions: ['Remove the character, or encode binary data as base64']
  })
}

function refuseNumber(value: number, argument: string): void {
  if (Number.isFinite(value)) return
  throw new AppError('INVALID_INPUT', `The argument '${argument}' holds a number that cannot be carried exactly.`, {
    context: {
      argument,
      given: 'an integer with more digits than a double holds, or a number beyond its range',
      allowed: 'numbers that a double holds'
    },
    suggestions: ['Send the number as a string']
  })
}

/** Whether a value of JSON is an object: neither an array nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * JSON text with the fields of every object in order, so that equal values give equal texts (for hashes).
 * @param value of JSON, nested at most some hundred levels deep
 */
export function canonicalJson(value: unknown): string {
  // One call for all: to join the texts of the parts takes three times as long for a call of 150 values.
  return JSON.stringify(inOrder(value))
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  const ordered: Record<string, unknown> = {}
  for (const name of Object.keys(value).sort()) {
    const inner = inOrder(value[name])
    // Assigned, this name would set the prototype.
    if (name === '__proto__') Object.defineProperty(ordered, name, { value: inner, enumerable: true })
    else ordered[name] = inner
  }
  return ordered
}
