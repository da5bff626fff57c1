import { type Static, Type } from '@sinclair/typebox'
import { WAIT_MAX, WAIT_MAX_MCP } from '../feed/wait-until.js'
import { Message, Nullable, Time } from '../kernel/answer-shapes.js'
import { Numeric } from '../kernel/schema.js'

/** The shapes that the tools of inboxes share. */

/** Messages of one inbox that list_agents counts, at most. */
export const INBOX_MAX = 100

export const InboxMessage = Type.Object({
  ...Message.properties,
  read: Type.Boolean({ description: 'Whether you have marked it as read' }),
  acked: Type.Boolean({ description: 'Whether you have acknowledged it' })
})

export const ListedAgent = Type.Object({
  agent_id: Type.String(),
  agent_type: Type.String(),
  last_seen_at: { ...Time, description: 'When it last called; written at most every 30 seconds' },
  waiting: Type.Boolean({ description: 'Whether a call of it waits now' }),
  status: { ...Nullable(Type.String()), description: 'What it says of itself with set_status' },
  inbox: Type.Integer({
    description: `Messages to it that it has not acknowledged and that you may see; counted up to ${INBOX_MAX}`
  })
})
export type ListedAgent = Static<typeof ListedAgent>

export const Receipt = Type.Object({
  agent_id: Type.String(),
  delivered_at: { ...Nullable(Time), description: 'When the message first went to it' },
  read_at: { ...Nullable(Time), description: 'When it marked the message as read' },
  acked_at: Nullable(Time),
  note: Nullable(Type.String()),
  reply_ids: Type.Array(Type.Integer(), { description: 'Its answers, by their ids' })
})
export type Receipt = Static<typeof Receipt>

export const MarkRead = Type.Optional(Type.Boolean({ default: false, description: 'Mark them as read' }))

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
