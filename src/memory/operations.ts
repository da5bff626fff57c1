import { type Static, Type } from '@sinclair/typebox'
import { AppError, type ErrorContext } from '../kernel/errors.js'
import { all, exactlyOne, notBoth, where } from '../kernel/page-rules.js'
import { NullIsValue, OneOf } from '../kernel/schema.js'
import { input, Limit, MemoryKey, OptionalSessionId } from '../kernel/shapes.js'
import { IfVersion, storing, Value } from './memory-shapes.js'
import { OptionalNamespace } from './namespace.js'

/** The operations of batch_memory. */

const KINDS = ['get', 'set', 'delete', 'list'] as const
export type Kind = (typeof KINDS)[number]

const PLACE = ['op', 'session_id', 'namespace']
const TAKES: Record<Kind, readonly string[]> = {
  get: [...PLACE, 'key'],
  set: [...PLACE, 'key', 'value', 'if_version', 'expires_in', 'metadata', 'overwrite'],
  delete: [...PLACE, 'key', 'prefix', 'if_version'],
  list: [...PLACE, 'prefix', 'limit']
}
/** What is filled in for every operation, and so may stand in any. */
const DEFAULTS = { limit: 50, expires_in: 0, overwrite: true }
const NAMES = [...new Set([...Object.values(TAKES).flat(), ...Object.keys(DEFAULTS)])]

/** As `checkOperations` has it, for the page. */
function fitting(kind: Kind): Record<string, unknown> {
  const not_taken = NAMES.filter(name => !TAKES[kind].includes(name))
  const isDefault = (name: string) => ({ enum: [DEFAULTS[name as keyof typeof DEFAULTS]] })
  return {
    properties: Object.fromEntries(not_taken.map(name => [name, name in DEFAULTS ? isDefault(name) : false])),
    ...(kind === 'get' && { required: ['key'] }),
    ...(kind === 'set' && { required: ['key', 'value'] }),
    ...(kind === 'delete' && all(exactlyOne('key', 'prefix'), notBoth('prefix', 'if_version')))
  }
}

/** @param bytes_max of a value as JSON */
export function Operation(bytes_max: number) {
  const value = Value(bytes_max, 'With set: any JSON value')
  return {
    ...input(
      {
        op: OneOf(KINDS, { description: 'What it does' }),
        key: Type.Optional(MemoryKey),
        value: Type.Optional({ ...value, [NullIsValue]: true as const } as typeof value),
        prefix: Type.Optional(Type.String({ maxLength: 255, description: 'With list or delete: how the keys begin' })),
        session_id: OptionalSessionId('global'),
        namespace: OptionalNamespace('Shared memory'),
        if_version: IfVersion('With set or delete: only if it has this version'),
        ...storing,
        limit: Limit(DEFAULTS.limit, 1000, 1, 'With list: how many at most')
      },
      all(...KINDS.map(kind => where('op', kind, fitting(kind))), notBoth('session_id', 'namespace'))
    ),
    description: 'Like get_memory, set_memory, delete_memory or list_memory'
  }
}
export type Operation = Static<ReturnType<typeof Operation>>

/** @throws AppError INVALID_INPUT that names the first argument that is missing or belongs to another operation */
export function checkOperations(operations: readonly Operation[]): void {
  for (const [i, operation] of operations.entries()) {
    const wrong = (name: string, given: string, allowed: string) =>
      new AppError('INVALID_INPUT', `The argument 'operations/${i}/${name}' does not fit ${operation.op}.`, {
        context: { argument: `operations/${i}/${name}`, given, allowed },
        suggestions: [`With op ${operation.op}, pass ${TAKES[operation.op].slice(1).join(', ')}`]
      })
    const takes = TAKES[operation.op]
    for (const [name, value] of Object.entries(operation)) {
      // Defaults are filled in for every operation.
      const isGiven = value !== undefined && value !== DEFAULTS[name as keyof typeof DEFAULTS]
      if (isGiven && !takes.includes(name)) throw wrong(name, name, 'nothing')
    }
    const { op, key, value, prefix, if_version } = operation
    if (op === 'set' && value === undefined) throw wrong('value', 'nothing', 'any JSON value')
    if ((op === 'get' || op === 'set') && key === undefined) throw wrong('key', 'nothing', 'a key')
    if (op === 'delete' && (key === undefined) === (prefix === undefined || prefix === ''))
      throw wrong('key', key === undefined ? 'neither key nor prefix' : 'key and prefix', 'exactly one of them')
    if (op === 'delete' && key === undefined && if_version !== undefined) throw wrong('if_version', 'a prefix', 'a key')
  }
}

/** The same error, which also says in which operation it was. */
export function inOperation(error: unknown, i: number): unknown {
  if (!(error instanceof AppError)) return error
  const context: ErrorContext = { ...error.context, operation: i }
  return new AppError(error.code, error.message, { context, suggestions: [...error.suggestions], cause: error })
}
