import { Type } from '@sinclair/typebox'
import { AGENT_ID_MAX } from './agent.js'
import { AnyValue, Allowed, Checked, Code, HoldsText, OneOf, OnPage } from './schema.js'
import { TYPE_PREFIX } from './addresses.js'
import { isName, NAME_PATTERN, Text } from './shapes.js'
import { characters } from './text.js'
import { VISIBILITIES } from './visibilities.js'

/** The shapes of the arguments that make a message or a task: for whom, what, and who sees it. */

/** Whether a value can name agents: an agent_id, or `type:` and an agent_type. */
export function namesAgents(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    isName(value) &&
    characters(value) >= 1 &&
    characters(value) <= AGENT_ID_MAX &&
    value !== TYPE_PREFIX
  )
}

export const Addressee = Checked<string>({ type: 'string', minLength: 1, maxLength: AGENT_ID_MAX }, namesAgents, {
  [OnPage]: { pattern: NAME_PATTERN },
  [Allowed]: `an agent_id, or type: and an agent_type, of at most ${AGENT_ID_MAX} characters`
})

const ADDRESSEES_MAX = 50
export const Addressees = (description: string) =>
  Type.Optional(
    Type.Array(Addressee, {
      minItems: 1,
      maxItems: ADDRESSEES_MAX,
      description: `${description}: agent_ids, type:<agent_type>`
    })
  )

const CONTENT_MAX = 100_000
/** For the page: a text may be empty only where a payload comes with it. */
export const contentRule = {
  anyOf: [
    { required: ['payload'], properties: { payload: { not: { type: 'null' } } } },
    { properties: { content: { minLength: 1 } } }
  ]
}
export const Content = Text(0, CONTENT_MAX, 'The text', {
  [HoldsText]: true,
  [Allowed]: `a string of 1 to ${CONTENT_MAX} characters, or an empty one with a payload`,
  [Code]: value => (typeof value === 'string' ? 'CONTENT_TOO_LARGE' : 'INVALID_INPUT')
})

const PAYLOAD_MAX = 1024 * 1024
export const Payload = Type.Optional(
  AnyValue(
    'Any JSON value, for programs',
    value => value !== undefined && Buffer.byteLength(JSON.stringify(value)) <= PAYLOAD_MAX,
    {
      [HoldsText]: true,
      [Code]: 'CONTENT_TOO_LARGE',
      [Allowed]: `any JSON value of at most ${PAYLOAD_MAX} bytes`
    }
  )
)

export const VisibilityWord = (description: string, fallback?: 'public') =>
  OneOf(VISIBILITIES, {
    description,
    ...(fallback !== undefined && { default: fallback }),
    [Code]: 'INVALID_VISIBILITY'
  })
