import { Type } from '@sinclair/typebox'
import { AppError } from './errors.js'
import { isObject } from './json.js'
import { parseBounded } from './json-scan.js'
import { Allowed, Checked, Code, HoldsText, OnPage, Repair } from './schema.js'
import { characters } from './text.js'

/** The argument `metadata`, and filters by it. Limits are those of docs/semantics.md, Limits. */

const METADATA_KEYS_MAX = 50
const METADATA_KEY_MAX = 100
const METADATA_MAX = 10_000

function isMetadata(value: unknown): boolean {
  if (!isObject(value)) return false
  const keys = Object.keys(value)
  return (
    keys.length <= METADATA_KEYS_MAX &&
    keys.every(key => characters(key) <= METADATA_KEY_MAX) &&
    characters(JSON.stringify(value)) <= METADATA_MAX
  )
}

/** Models send an object in a string as well; anything else that is a string stays one, and is refused. */
export function objectInString(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > 4 * METADATA_MAX || !/^\s*\{/.test(value)) return value
  try {
    return parseBounded(value, 'The object in the string')
  } catch (error) {
    if (error instanceof AppError) throw error
    return value
  }
}

const metadataObject = { type: 'object', additionalProperties: true, maxProperties: METADATA_KEYS_MAX }

function metadataArgument(json: Record<string, unknown>) {
  return Type.Optional(
    Checked<Record<string, unknown>>(json, isMetadata, {
      [HoldsText]: true,
      [Repair]: objectInString,
      // The text that is taken as well is a repair, and hardly any text is right.
      [OnPage]: { ...metadataObject, anyOf: undefined, propertyNames: { maxLength: METADATA_KEY_MAX } },
      [Code]: 'INVALID_METADATA',
      [Allowed]:
        `an object of at most ${METADATA_KEYS_MAX} keys (each at most ${METADATA_KEY_MAX} characters) ` +
        `and ${METADATA_MAX} characters as JSON`
    })
  )
}

/** An object, or the same as JSON text, which several models send. */
export function Metadata(description = 'Anything to filter and search by') {
  return metadataArgument({ anyOf: [metadataObject, { type: 'string' }], description })
}

export function MetadataFilter(description: string) {
  return metadataArgument({ ...metadataObject, description })
}
