import { Type } from '@sinclair/typebox'
import { WAIT_MAX, WAIT_MAX_MCP } from '../feed/wait-until.js'
import { Message } from '../kernel/answer-shapes.js'
import { Allowed, Checked, HoldsText, Numeric } from '../kernel/schema.js'
import { text } from '../kernel/shapes.js'

/** The shapes that the tools of inboxes share. */

export const InboxMessage = Type.Object({
  ...Message.properties,
  read: Type.Boolean({ description: 'Whether you have marked it as read' }),
  acked: Type.Boolean({ description: 'Whether you have acknowledged it' })
})

export const MarkRead = Type.Optional(Type.Boolean({ default: false, description: 'Mark them as read' }))

export function Words(min: number, max: number, description: string) {
  const of = text(min, max, description)
  return Checked<string>(of.json, of.check, { [HoldsText]: true, [Allowed]: of.allowed })
}

/** Seconds. */
export const TIMEOUT_DEFAULT = 20

export const TimeoutSeconds = Type.Optional(
  Numeric({
    minimum: 0,
    maximum: WAIT_MAX,
    default: TIMEOUT_DEFAULT,
    description: `Seconds, at most ${WAIT_MAX_MCP} over MCP`
  })
)
