import { OptionalKind, type TObject, type TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { editDistance } from './edit-distance.js'
import { AppError } from './errors.js'
import { refuseUnstorable } from './json.js'
import { Allowed, Code, type SchemaExtensions, Repair } from './schema.js'

/**
 * Checks and repairs the raw arguments of a tool. @throws AppError naming the argument, what was given, what is allowed
 */
export type Accept<T> = (raw: unknown) => T

/**
 * Compiles a tool's input schema once; both fronts run the result. The order: shape (an object, closed), what no column
 * can hold, repairs, defaults, required, then the compiled TypeBox check.
 */
export function compileAccept<T>(schema: TObject): Accept<T> {
  const check = TypeCompiler.Compile(schema)
  const prepare = compilePrepare(schema, '')
  return raw => {
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
      throw unknownArgument(
        printable(names.find(name => !(name in schema.properties)) ?? ''),
        Object.keys(schema.properties),
        ''
      )
    refuseUnstorable(given)
    const input = prepare(given as Record<string, unknown>)
    if (!check.Check(input)) throw firstFault(check, input)
    return input as T
  }
}

/** More arguments than any tool has. */
const ARGUMENTS_MAX = 100

function printable(name: string): string {
  return name.slice(0, 200).replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')
}

/** For an object schema, the function that refuses unknown arguments, drops nulls, repairs and fills in defaults. */
function compilePrepare(schema: TObject, at: string) {
  const properties = schema.properties
  const names = Object.keys(properties)
  const known = new Set(names)
  const nested = new Map<string, (given: Record<string, unknown>, at: string) => Record<string, unknown>>()
  for (const name of names) {
    const items = (properties[name] as { items?: TSchema }).items
    if (items?.type === 'object') nested.set(name, compilePrepare(items as TObject, name))
  }

  return function prepare(given: Record<string, unknown>, place = at): Record<string, unknown> {
    for (const name of Object.keys(given)) if (!known.has(name)) throw unknownArgument(name, names, place)
    const input: Record<string, unknown> = {}
    for (const name of names) {
      const property = properties[name] as TSchema & SchemaExtensions
      const optional = property[OptionalKind as never] !== undefined
      let value = given[name]
      // Only a property that says so takes null as a value; elsewhere null is "not given" (docs/semantics.md, Errors).
      if (value === null && (optional || !takesNull(property))) value = undefined
      if (value === undefined && property.default !== undefined) value = property.default
      if (value === undefined) {
        if (!optional) throw missingArgument(name, property, place)
        continue
      }
      const repair = property[Repair]
      if (repair !== undefined) {
        const repaired = repair(value)
        // What came in a string has not been looked at yet.
        if (typeof repaired === 'object' && repaired !== value) refuseUnstorable({ [full(place, name)]: repaired })
        value = repaired
      }
      const inner = nested.get(name)
      if (inner !== undefined && Array.isArray(value)) {
        value = value.map((item: unknown, i) => (isObject(item) ? inner(item, `${name}/${i}`) : item))
      }
      input[name] = value
    }
    return input
  }
}

function takesNull({ anyOf = [] }: TSchema): boolean {
  return (anyOf as TSchema[]).some(({ type }) => type === 'null')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function full(at: string, name: string): string {
  return at === '' ? name : `${at}/${name}`
}

function unknownArgument(name: string, known: string[], at: string): AppError {
  const nearest = nearestName(name, known)
  const shown = [...name].slice(0, 60).join('')
  return new AppError('INVALID_INPUT', `There is no argument '${shown}'.`, {
    context: { argument: full(at, shown), given: 'an unknown argument', allowed: known },
    suggestions: [
      nearest !== undefined ? `Did you mean '${nearest}'?` : 'Leave it out',
      known.length > 0 ? `The arguments are: ${known.join(', ')}` : 'This tool takes no arguments'
    ]
  })
}

function missingArgument(name: string, schema: TSchema & SchemaExtensions, at: string): AppError {
  return new AppError('INVALID_INPUT', `The argument '${full(at, name)}' is missing.`, {
    context: { argument: full(at, name), given: 'nothing', allowed: allowed(schema) },
    suggestions: [`Pass ${name}: ${schema.description ?? allowed(schema)}`]
  })
}

function firstFault(check: TypeCheck<TSchema>, input: unknown): AppError {
  const fault = check.Errors(input).First()
  if (fault === undefined) return new AppError('INVALID_INPUT', 'The arguments do not fit this tool.')
  const argument = fault.path.replace(/^\//, '')
  // The innermost schema that names its own rule speaks; a fault inside a marked property is that property's.
  const { schema, value } = ruleAt(check.Schema(), argument.split('/'), input, fault.schema, fault.value)
  const code = schema[Code]
  const may = allowed(schema)
  return new AppError(
    typeof code === 'function' ? code(value) : (code ?? 'INVALID_INPUT'),
    `The argument '${argument}' must be ${may}.`,
    {
      context: { argument, given: kindOf(value), allowed: may }
    }
  )
}

function ruleAt(
  root: TSchema,
  path: string[],
  input: unknown,
  schema: TSchema & SchemaExtensions,
  value: unknown
): { schema: TSchema & SchemaExtensions; value: unknown } {
  let at: TSchema | undefined = root
  let given: unknown = input
  for (const step of path) {
    at =
      at?.type === 'array'
        ? (at as { items?: TSchema }).items
        : (at as Partial<TObject> | undefined)?.properties?.[step]
    given = (given as Record<string, unknown> | undefined)?.[step]
    const marks = at as SchemaExtensions | undefined
    if (marks?.[Code] !== undefined || marks?.[Allowed] !== undefined)
      return { schema: at as TSchema & SchemaExtensions, value: given }
  }
  return { schema, value }
}

/** What a schema takes, in words. */
export function allowed(schema: TSchema & SchemaExtensions): string {
  if (schema[Allowed] !== undefined) return schema[Allowed]
  if (schema.type === 'array')
    return `an array of ${schema.minItems ?? 0} to ${schema.maxItems ?? 'any number of'} items`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'object') return 'an object'
  if (schema.type === 'string')
    return `a string${schema.maxLength !== undefined ? ` of ${schema.minLength ?? 0} to ${schema.maxLength} characters` : ''}`
  if (schema.type === 'integer') return 'a whole number'
  return typeof schema.type === 'string' ? `a ${schema.type}` : 'any JSON value'
}

/** A value's kind in words, never the value: errors must not repeat what a client sent. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing'
  if (Array.isArray(value)) return `an array of ${value.length} items`
  if (typeof value === 'string') return value === '' ? 'an empty string' : `a string of ${value.length} characters`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'boolean' ? `${value}` : `a ${typeof value}`
}

/** The known name a caller most likely meant: at most 3 edits and less than half of it away. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.min(3, Math.floor(Math.min(name.length, 60) / 2)) + 1
  for (const candidate of known) {
    const distance =
      candidate.startsWith(name) || name.startsWith(candidate)
        ? 1
        : editDistance(name.slice(0, 60).toLowerCase(), candidate, 3)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}
