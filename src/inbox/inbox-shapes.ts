import { Type } from '@sinclair/typebox'
import { Message } from '../kernel/answer-shapes.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { Allowed, Checked, Numeric } from '../kernel/schema.js'
import { text } from '../kernel/shapes.js'

/** The shapes that the tools of inboxes share. */

export const InboxMessage = Type.Object({
  ...Message.properties,
  read: Type.Boolean({ description: 'Whether you have marked it as read' }),
  acked: Type.Boolean({ description: 'Whether you have acknowledged it' })
})

export const MarkRead = Type.Optional(
  Type.Boolean({ default: false, description: 'Whether the messages got count as read' })
)

export function Words(min: number, max: number, description: string) {
  const of = text(min, max, description)
  return Checked<string>(of.json, of.check, { [Allowed]: of.allowed })
}

/** Seconds. */
export const TIMEOUT_DEFAULT = 20
const TIMEOUT_MAX = 55
const TIMEOUT_MAX_MCP = 25

export const TimeoutSeconds = Type.Optional(
  Numeric({
    minimum: 0,
    maximum: TIMEOUT_MAX,
    default: TIMEOUT_DEFAULT,
    description: `Seconds, at most ${TIMEOUT_MAX_MCP} over MCP. 0: only look`
  })
)

/** @throws AppError INVALID_INPUT for a wait that most MCP clients would not sit out */
export function refuseLongTimeout({ front }: Caller, timeout_seconds: number): void {
  if (front !== 'mcp' || timeout_seconds <= TIMEOUT_MAX_MCP) return
  const allowed = `a number from 0 to ${TIMEOUT_MAX_MCP} over MCP`
  throw new AppError(
    'INVALID_INPUT',
    `The argument 'timeout_seconds' must be ${allowed}, since most MCP clients give up after 30 seconds.`,
    {
      context: { argument: 'timeout_seconds', given: `the number ${timeout_seconds}`, allowed },
      suggestions: [`Pass at most ${TIMEOUT_MAX_MCP}, and call again when timed_out is true`]
    }
  )
}
