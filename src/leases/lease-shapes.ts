import { type TProperties, Type } from '@sinclair/typebox'
import { OnPage, Whole } from '../kernel/schema.js'
import { Time } from '../kernel/answer-shapes.js'
import { CONTROLS, Text } from '../kernel/shapes.js'
import { hasControlCharacters } from '../kernel/text.js'

/** The shapes that the tools of leases share. */

const NAME_MAX = 500
export const NAMES_MAX = 20
export const TTL_SECONDS = 60

export const LeaseName = Text(1, NAME_MAX, 'The name: anything that agents agree on', {
  is: value => !hasControlCharacters(value),
  but: ', without control characters',
  [OnPage]: { pattern: `^[^${CONTROLS}]*$` }
})

export const TtlSeconds = Type.Optional(
  Whole({ minimum: 1, maximum: 3600, default: TTL_SECONDS, description: 'For how many seconds, from now on' })
)

const token = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER }
export const Token = Whole({ ...token, description: 'Its token, as acquire_lease returned it' })

/** Callers pass on what acquire_lease returned, whole. */
const expires_at = Type.Optional(Text(0, 100, 'Not needed, and not read'))

/** Leases that a caller names. @param lease what it says of each */
export function NamedLeases<T extends TProperties>(lease: T) {
  return Type.Array(Type.Object({ ...lease, expires_at }, { additionalProperties: false, description: 'A lease' }), {
    minItems: 1,
    maxItems: NAMES_MAX,
    description: 'The leases, as acquire_lease returned them'
  })
}

export const HeldLeases = Type.Array(
  Type.Object({
    name: Type.String(),
    token: Type.Integer({ description: 'Larger than that of everybody who held the name before' }),
    expires_at: { ...Time, description: 'When it ends by itself, by the clock of the database' }
  })
)
