import { type TObject, type TProperties, Type } from '@sinclair/typebox'
import { AGENT_ID_MAX, AGENT_TYPE_MAX } from './agent.js'
import {
  Allowed,
  Checked,
  Code,
  EmptyIsAbsent,
  HoldsText,
  NamesAgent,
  OnPage,
  Repair,
  type SchemaExtensions,
  Whole
} from './schema.js'
import { characters, composed, hasControlCharacters, hasUnseenCharacters } from './text.js'
import { parseTime } from './time.js'

/**
 * The shapes that several tools share. Limits are those of docs/semantics.md, Limits; lengths count characters (code
 * points).
 */

/**
 * An input: closed, so that a misspelt argument is refused instead of ignored. Descriptions say the defaults: many
 * clients drop the keyword `default`.
 * @param onPage what the OpenAPI page says of the arguments together
 */
export function input<T extends TProperties>(properties: T, onPage?: Record<string, unknown>): TObject<T> {
  const described = Object.entries(properties).map(([name, { ...schema }]) => {
    const { default: fallback, description = '' } = schema as { default?: unknown; description?: string }
    const words = Array.isArray(fallback) ? fallback.join(' and ') : String(fallback)
    return [name, fallback === undefined ? schema : { ...schema, description: `${description} (default ${words})` }]
  })
  return Type.Object(Object.fromEntries(described) as T, {
    additionalProperties: false,
    ...(onPage !== undefined && { [OnPage]: onPage })
  })
}

/** An answer, without `success`, which the kernel adds. */
export function output<T extends TProperties>(properties: T): TObject<T> {
  return Type.Object(properties)
}

/**
 * A string of so many characters.
 * @param more marks; what else it must be, in code and (`but`) in the words of the error
 */
export function Text(
  minLength: number,
  maxLength: number,
  description: string,
  more: SchemaExtensions & { is?: (value: string) => boolean; but?: string } = {}
) {
  const { is, but = '', ...marks } = more
  return Checked<string>(
    { type: 'string', ...(minLength > 0 && { minLength }), maxLength, description },
    value =>
      typeof value === 'string' &&
      characters(value) >= minLength &&
      characters(value) <= maxLength &&
      (is === undefined || is(value)),
    {
      [Allowed]: `a string of ${minLength > 0 ? `${minLength} to` : 'at most'} ${maxLength} characters${but}`,
      ...marks
    }
  )
}

const trimmed = (value: unknown) => (typeof value === 'string' ? value.trim() : value)

export const SessionId = Checked<string>(
  {
    type: 'string',
    pattern: '^session_[0-9a-f]{16}$',
    description: 'The session'
  },
  value => typeof value === 'string' && value.length <= 300,
  { [EmptyIsAbsent]: true, [Allowed]: 'a session_id as create_session returned it' }
)

/** @param absent what the tool does without a session_id */
export const OptionalSessionId = (absent: string) =>
  Type.Optional({ ...SessionId, description: `A session; without: ${absent}` } as typeof SessionId)

/** As many as credentials can be limited to. */
const SESSIONS_MAX = 100
export const Sessions = (description: string) =>
  Type.Optional(
    Type.Array({ ...SessionId, description: undefined }, { minItems: 1, maxItems: SESSIONS_MAX, description })
  )

/** Seconds: a year. */
const EXPIRES_MAX = 31_536_000
export const ExpiresIn = (description: string) =>
  Type.Optional(Whole({ minimum: 0, maximum: EXPIRES_MAX, default: 0, description, [Code]: 'INVALID_TTL' }))

const WORKSPACE = /^[a-z0-9][a-z0-9._-]{0,62}$/
export const Workspace = (more = '') =>
  Type.Optional(
    Checked<string>(
      {
        type: 'string',
        pattern: WORKSPACE.source,
        maxLength: 63,
        description: `Another workspace than your own: for the operator alone, who has the shared ADMIN_API_KEY${more}`
      },
      value => typeof value === 'string' && WORKSPACE.test(value),
      {
        [EmptyIsAbsent]: true,
        [Allowed]: 'a name of 1 to 63 small letters, digits, dots, dashes and underscores, with a letter or digit first'
      }
    )
  )

export const KeyId = Checked<string>(
  {
    type: 'string',
    pattern: '^key_[0-9a-f]{16}$',
    description: 'The key, as create_api_key or list_api_keys named it'
  },
  value => typeof value === 'string' && value.length <= 300,
  { [EmptyIsAbsent]: true, [Allowed]: 'a key_id as create_api_key returned it' }
)

export const MessageId = MessageRef('The message')

export function MessageRef(description: string) {
  return Whole({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description, [EmptyIsAbsent]: true })
}

/** A place in the order of a session's changes; 0 is before the first. */
export function Seq(description: string) {
  return Whole({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description, [EmptyIsAbsent]: true })
}

/** Names are compared as they are, so that one with a space behind it would look like another's. */
export function isName(value: string): boolean {
  return !hasControlCharacters(value) && value.trim() === value
}

/** In a class of a pattern. */
export const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f'
/** The same as `isName`. */
export const NAME_PATTERN = `^[^\\s${CONTROLS}]([^${CONTROLS}]*[^\\s${CONTROLS}])?$`

const named = {
  is: isName,
  but: ', without control characters and without space around it',
  [OnPage]: { pattern: NAME_PATTERN },
  [EmptyIsAbsent]: true
} as const

export function AgentId(description: string) {
  return Text(1, AGENT_ID_MAX, description, { ...named, [NamesAgent]: true })
}

export function AgentType(description: string) {
  return Text(1, AGENT_TYPE_MAX, description, named)
}

const PURPOSE_MAX = 1000
export function Purpose(description: string) {
  return Text(1, PURPOSE_MAX, description, {
    but: ' after trimming',
    [HoldsText]: true,
    [Repair]: trimmed,
    [OnPage]: { pattern: '[^\\s\\u0000]' }
  })
}

const SESSION_KEY_MAX = 255
export function SessionKey(description: string) {
  return Text(1, SESSION_KEY_MAX, description, {
    is: value => !hasControlCharacters(value) && !hasUnseenCharacters(value),
    but: ' after trimming, all of which are seen',
    [EmptyIsAbsent]: true,
    [Repair]: value => (typeof value === 'string' ? composed(value.trim()) : value),
    [OnPage]: { pattern: NAME_PATTERN },
    [Code]: 'INVALID_KEY'
  })
}

export const MEMORY_KEY_MAX = 255
export const MemoryKey = Text(1, MEMORY_KEY_MAX, 'Its name', {
  is: value => !hasControlCharacters(value),
  but: ' after trimming, without control characters',
  [Repair]: trimmed,
  [OnPage]: { pattern: `^[^${CONTROLS}]*[^\\s${CONTROLS}][^${CONTROLS}]*$` },
  [Code]: 'INVALID_KEY'
})

function isTime(value: unknown): boolean {
  return typeof value === 'string' && parseTime(value) !== undefined
}

export function DateTime(description: string) {
  return Checked<string>({ type: 'string', description: `${description}: ISO-8601` }, isTime, {
    [EmptyIsAbsent]: true,
    [OnPage]: { anyOf: [{ format: 'date' }, { format: 'date-time' }] },
    [Code]: 'INVALID_DATETIME',
    [Allowed]: 'an ISO-8601 date (2026-01-31) or date-time (2026-01-31T09:30:00Z)'
  })
}

export function Limit(fallback: number, maximum: number, minimum = 1, description = 'How many') {
  return Type.Optional(Whole({ minimum, maximum, default: fallback, description }))
}

/** A cursor of list_memory holds a key of up to 255 characters, and which transactions were open. */
const CURSOR_MAX = 8000
export const Cursor = Type.Optional(
  Text(0, CURSOR_MAX, 'The last next_cursor', {
    [EmptyIsAbsent]: true,
    [Allowed]: 'next_cursor of an earlier answer'
  })
)

// A program that believes in its key must not lose it without a word.
export const IdempotencyKey = Type.Optional(Text(1, 255, 'Repeats with it happen once', { [EmptyIsAbsent]: 'lenient' }))
