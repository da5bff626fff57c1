import { Kind, type TSchema, Type, TypeRegistry } from '@sinclair/typebox'
import type { ErrorCode } from './errors.js'

/**
 * The few schema kinds the contract needs beyond JSON Schema: they repair what docs/semantics.md (Errors, Limits) let
 * be repaired, count characters as code points, and carry the telling error code of the argument. Towards clients they
 * are plain JSON Schema, since the marks below are symbols, which JSON leaves out.
 */

/** Turns what a client sent into what is checked; returns the value itself where there is nothing to repair. */
export const Repair: unique symbol = Symbol('repair')
/** Code of the error when the argument is wrong, instead of INVALID_INPUT; a function where it depends on how. */
export const Code: unique symbol = Symbol('code')
/** What is allowed, in words, for the error. */
export const Allowed: unique symbol = Symbol('allowed')
/**
 * Marks an id, name, date or cursor: if it is optional, `""` means that it is absent, since models send that. `lenient`
 * is for what a program must not lose without a word: there `""` is absent only over MCP, where models write arguments.
 */
export const EmptyIsAbsent: unique symbol = Symbol('empty is absent')

/** Marks an optional argument of which null is a value. Of every other one null means that it is absent. */
export const NullIsValue: unique symbol = Symbol('null is a value')

/** Marks what an agent writes: text, or JSON with text, that others may read. It is looked through for secrets. */
export const HoldsText: unique symbol = Symbol('holds text')

/** Marks the name of an agent. It is looked up as it was sent, and then with its accents composed (kernel/names.ts). */
export const NamesAgent: unique symbol = Symbol('names an agent')

/**
 * What the OpenAPI page says of a schema beyond what models are shown: the page is to be as strict as the server, and a
 * list of tools is to be short. It takes the place of the keywords of the same names; undefined takes one away.
 */
export const OnPage: unique symbol = Symbol('on the OpenAPI page')

export interface SchemaExtensions {
  [OnPage]?: Record<string, unknown>
  [NamesAgent]?: true
  [HoldsText]?: true
  [Repair]?: (value: unknown) => unknown
  [Code]?: ErrorCode | ((value: unknown) => ErrorCode)
  [Allowed]?: string
  [EmptyIsAbsent]?: true | 'lenient'
  [NullIsValue]?: true
}

const CHECKED = 'Checked'
const Check: unique symbol = Symbol('check')

TypeRegistry.Set(CHECKED, (schema: unknown, value: unknown) =>
  (schema as { [Check]: (value: unknown) => boolean })[Check](value)
)

/**
 * A schema whose JSON Schema is `json` and whose check is `check`. Use it only where JSON Schema cannot say the rule,
 * or where TypeBox counts differently (it counts UTF-16 units, the contract and JSON Schema count characters).
 */
export function Checked<T>(
  json: Record<string, unknown>,
  check: (value: unknown) => boolean,
  marks: SchemaExtensions = {}
) {
  return Type.Unsafe<T>({ ...json, ...marks, [Kind]: CHECKED, [Check]: check })
}

/** `{"limit": "5"}` is taken for `{"limit": 5}`: models send both. */
function numeric(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,15}(\.\d{1,10})?$/.test(value.trim()) ? Number(value) : value
}

export function Whole(
  options: { minimum: number; maximum: number; default?: number; description?: string } & SchemaExtensions
) {
  const { minimum, maximum } = options
  return Type.Unsafe<number>(
    Type.Integer({
      ...options,
      [Repair]: numeric,
      [Allowed]: options[Allowed] ?? `a whole number from ${minimum} to ${maximum}`
    })
  )
}

export function Numeric(options: { minimum: number; maximum: number; default?: number; description?: string }) {
  const { minimum, maximum } = options
  return Type.Unsafe<number>(
    Type.Number({ ...options, [Repair]: numeric, [Allowed]: `a number from ${minimum} to ${maximum}` })
  )
}

export function OneOf<const T extends readonly string[]>(
  words: T,
  options: { default?: T[number]; description?: string } & SchemaExtensions = {}
) {
  // One enum keyword rather than a union of constants: several model vendors drop anyOf.
  return Checked<T[number]>(
    { type: 'string', enum: [...words], ...options },
    value => typeof value === 'string' && words.includes(value),
    { ...pick(options), [Allowed]: `one of ${words.join(', ')}` }
  )
}

function pick(options: SchemaExtensions): SchemaExtensions {
  return { [Code]: options[Code], [Repair]: options[Repair] }
}

const anyObject = { type: 'object', additionalProperties: true }

/**
 * Any JSON value, written as one branch for each type. AutoGen loads no tool at all if one property has no type, and
 * some clients send text for such a property; a list of types (`type: ['string', …]`) breaks others. Arrays have two
 * branches: OpenAI and Gemini refuse an array without `items`, and AutoGen reads `items: {}` as strings, so that
 * objects need their own.
 */
const anyValue = {
  anyOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    anyObject,
    { type: 'array', items: {} },
    { type: 'array', items: anyObject },
    { type: 'null' }
  ]
}

/** An argument that is any JSON value, null included. */
export function AnyValue(description: string, check: (value: unknown) => boolean, marks: SchemaExtensions) {
  return Checked<unknown>({ ...anyValue, description }, check, marks)
}

/** A field of an answer that is any JSON value. */
export const AnyValueField = Type.Unsafe<unknown>(anyValue)

/**
 * A field of an answer that is an object with any keys. `Type.Record` writes it with `patternProperties`, which several
 * clients do not read.
 */
export function ObjectOf<T = unknown>(values?: TSchema & { static: T }, options: { description?: string } = {}) {
  return Type.Unsafe<Record<string, T>>({ type: 'object', additionalProperties: values ?? true, ...options })
}
