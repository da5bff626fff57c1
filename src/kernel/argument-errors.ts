import type { TObject, TSchema } from '@sinclair/typebox'
import type { TypeCheck } from '@sinclair/typebox/compiler'
import { nearest } from './edit-distance.js'
import { AppError } from './errors.js'
import { Allowed, Code, type SchemaExtensions } from './schema.js'

/** Where an argument stands: `messages/0/content`. */
export function full(at: string, name: string): string {
  return at === '' ? name : `${at}/${name}`
}

/** An argument's name, fit for a sentence. */
export function shortened(name: string): string {
  return [...name.slice(0, 200).replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')].slice(0, 60).join('')
}

export function unknownArgument(name: string, known: string[], at: string): AppError {
  const meant = nearest(name, known)
  const shown = shortened(name)
  return new AppError('INVALID_INPUT', `There is no argument '${shown}'.`, {
    context: { argument: full(at, shown), given: 'an unknown argument', allowed: known },
    suggestions: [
      meant !== undefined ? `Did you mean '${meant}'?` : 'Leave it out',
      known.length > 0 ? `The arguments are: ${known.join(', ')}` : 'This tool takes no arguments'
    ]
  })
}

export function missingArgument(name: string, schema: TSchema & SchemaExtensions, at: string): AppError {
  return new AppError('INVALID_INPUT', `The argument '${full(at, name)}' is missing.`, {
    context: { argument: full(at, name), given: 'nothing', allowed: allowed(schema) },
    suggestions: [`Pass ${name}: ${schema.description ?? allowed(schema)}`]
  })
}

export function firstFault(check: TypeCheck<TSchema>, input: unknown): AppError {
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
  if (schema.type === 'string' && schema.maxLength !== undefined)
    return `a string of ${schema.minLength ?? 0} to ${schema.maxLength} characters`
  if (schema.type === 'integer') return 'a whole number'
  return typeof schema.type === 'string' ? `a ${schema.type}` : 'any JSON value'
}

/** A value's kind in words, never the value: errors must not repeat what a client sent. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing'
  if (Array.isArray(value)) return `an array of ${value.length} items`
  if (typeof value === 'string') return value === '' ? 'an empty string' : `a string of ${value.length} characters`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'boolean' ? `${value}` : `a ${typeof value}`
}
