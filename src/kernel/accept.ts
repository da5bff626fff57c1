import { OptionalKind, type TObject, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { firstFault, full, kindOf, missingArgument, shortened, unknownArgument } from './argument-errors.js'
import { editDistance } from './edit-distance.js'
import { AppError } from './errors.js'
import { isObject, refuseUnstorable } from './json.js'
import { parseBounded } from './json-scan.js'
import { EmptyIsAbsent, NullIsValue, type SchemaExtensions, Repair } from './schema.js'

/**
 * Checks and repairs the raw arguments of a tool.
 * @param warnings of a lenient check, to which a sentence is added for each unknown argument that is left out; without
 * it, the check is strict
 * @throws AppError naming the argument, what was given, what is allowed
 */
export type Accept<T> = (raw: unknown, warnings?: string[]) => T

/**
 * Compiles a tool's input schema once; both fronts run the result. The order: shape (an object, closed), what no column
 * can hold, repairs, defaults, required, then the compiled TypeBox check.
 *
 * MCP clients get the lenient check: some add arguments of their own to every call, and models send `"true"`.
 */
export function compileAccept<T>(schema: TObject): Accept<T> {
  const check = TypeCompiler.Compile(schema)
  const prepare = compilePrepare(schema)
  return (raw, warnings) => {
    const given = raw ?? {}
    if (typeof given !== 'object' || Array.isArray(given)) {
      throw new AppError('INVALID_INPUT', 'The arguments must be one JSON object.', {
        context: { argument: 'arguments', given: kindOf(given), allowed: 'an object' },
        suggestions: ['Send the arguments as one JSON object, such as {"session_id": "..."}']
      })
    }
    // Before anything is looked at in depth: no tool has so many arguments.
    const names = Object.keys(given)
    if (names.length > ARGUMENTS_MAX)
      throw unknownArgument(names.find(name => !(name in schema.properties)) ?? '', Object.keys(schema.properties), '')
    refuseUnstorable(given)
    const input = prepare(given as Record<string, unknown>, '', warnings)
    if (!check.Check(input)) throw firstFault(check, input)
    return input as T
  }
}

/** More arguments than any tool has; and most unknown ones that are left out. */
const ARGUMENTS_MAX = 100

type Prepare = (given: Record<string, unknown>, place: string, warnings?: string[]) => Record<string, unknown>

/** An argument, with all that is known of it before a call. */
interface Argument {
  name: string
  schema: TSchema & SchemaExtensions
  optional: boolean
  /** Whether null is a value of it; elsewhere null is "not given" (docs/semantics.md, Errors). */
  takesNull: boolean
  /** Takes what was meant out of a string. */
  inString: ((text: string, lenient: boolean) => unknown) | undefined
  /** For an array of objects: prepares one of them. */
  prepareItem: Prepare | undefined
}

/** For an object schema, the function that looks for unknown arguments, drops nulls, repairs and fills in defaults. */
function compilePrepare({ properties }: TObject): Prepare {
  const names = Object.keys(properties)
  const known = new Set(names)
  const all = names.map((name): Argument => {
    const schema = properties[name] as TSchema & SchemaExtensions & { items?: TSchema }
    const optional = schema[OptionalKind as never] !== undefined
    return {
      name,
      schema,
      optional,
      takesNull: schema[NullIsValue] ?? (!optional && takesNull(schema)),
      inString: schema.type === 'array' ? arrayIn : schema.type === 'boolean' ? booleanIn : undefined,
      prepareItem: schema.items?.type === 'object' ? compilePrepare(schema.items as TObject) : undefined
    }
  })

  return function prepare(given, place, warnings) {
    for (const name of Object.keys(given)) if (!known.has(name)) leaveOut(name, names, place, warnings)
    const input: Record<string, unknown> = {}
    for (const { name, schema, optional, takesNull, inString, prepareItem } of all) {
      const sent = given[name]
      let value: unknown = sent
      if (value === null && !takesNull) value = undefined
      else if (value === '' && optional && emptyIsAbsent(schema, warnings !== undefined)) value = undefined
      if (value === undefined && schema.default !== undefined) value = schema.default
      if (value === undefined) {
        if (!optional) throw missingArgument(name, schema, place)
        continue
      }
      if (inString !== undefined && typeof value === 'string') value = inString(value, warnings !== undefined)
      const repair = schema[Repair]
      if (repair !== undefined) value = repair(value)
      // What came in a string has not been looked at yet.
      if (typeof value === 'object' && value !== null && typeof sent === 'string')
        refuseUnstorable({ [full(place, name)]: value })
      if (prepareItem !== undefined && Array.isArray(value)) {
        value = value.map((item: unknown, i) =>
          isObject(item) ? prepareItem(item, `${full(place, name)}/${i}`, warnings) : item
        )
      }
      input[name] = value
    }
    return input
  }
}

function emptyIsAbsent({ [EmptyIsAbsent]: mark }: SchemaExtensions, lenient: boolean): boolean {
  return mark === true || (mark === 'lenient' && lenient)
}

/** A JSON array in a string is taken for an array: models send both. */
function arrayIn(text: string): unknown {
  if (!/^\s*\[/.test(text)) return text
  try {
    return parseBounded(text, 'The array in the string')
  } catch (error) {
    if (error instanceof AppError) throw error
    return text
  }
}

function booleanIn(text: string, lenient: boolean): unknown {
  return lenient && (text === 'true' || text === 'false') ? text === 'true' : text
}

/** Edits within which an unknown name is taken for a misspelt one. */
const MISSPELT = 2

/** @throws AppError in a strict check, or if the name looks like a misspelt one */
function leaveOut(name: string, known: string[], place: string, warnings: string[] | undefined): void {
  const meant = (candidate: string) => editDistance(name.slice(0, 60).toLowerCase(), candidate, MISSPELT) <= MISSPELT
  if (warnings === undefined || warnings.length >= ARGUMENTS_MAX || known.some(meant))
    throw unknownArgument(name, known, place)
  warnings.push(`There is no argument '${full(place, shortened(name))}'. It was left out.`)
}

function takesNull({ anyOf = [] }: TSchema): boolean {
  return (anyOf as TSchema[]).some(({ type }) => type === 'null')
}
