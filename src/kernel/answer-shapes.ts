import { type Static, type TObject, Type } from '@sinclair/typebox'
import { AnyValueField, ObjectOf, OneOf } from './schema.js'
import { VISIBILITIES } from './visibilities.js'

/** The shapes that several tools have in their answers. */

/** Times in answers: ISO-8601, UTC, milliseconds, Z. */
export const Time = Type.String({ format: 'date-time' })
export const Nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T) =>
  Type.Union([schema, Type.Null()])
export const AnyObject = ObjectOf()

/** What every list answers beside its items; `pageOf` (cursor.ts) makes it. */
export const pageFields = {
  count: Type.Integer({ description: 'Items in this answer' }),
  has_more: Type.Boolean(),
  next_cursor: Type.Union([Type.String(), Type.Null()], {
    description: 'Pass it as cursor for the next page; null: there is none'
  })
}

export const Message = Type.Object({
  id: Type.Integer(),
  session_id: Type.String(),
  seq: Type.Integer({ description: "Its place in the order of the session's changes" }),
  sender: Type.String(),
  sender_type: Type.String(),
  content: Type.String(),
  visibility: OneOf(VISIBILITIES),
  metadata: AnyObject,
  parent_message_id: Nullable(Type.Integer()),
  timestamp: Time,
  to: Type.Optional(
    Type.Array(Type.String(), { description: 'Whom it is addressed to: agent_ids, or type:<agent_type>; if anybody' })
  ),
  payload: Type.Optional({ ...AnyValueField, description: 'What it carries for programs, if anything' })
})

const sessionFields = {
  id: Type.String(),
  key: { ...Nullable(Type.String()), description: 'The name by which create_session finds it; null: it has none' },
  purpose: Type.String(),
  metadata: AnyObject,
  created_by: Type.String(),
  created_at: Time,
  updated_at: Time,
  is_active: Type.Boolean(),
  archived_at: { ...Nullable(Time), description: 'When it was archived; null: it is not' }
}

const statisticsFields = {
  message_count: Type.Integer({ description: 'Messages you may see' }),
  message_count_is_estimate: Type.Optional(Type.Boolean()),
  last_activity: Time
}
export type SessionStatistics = Static<TObject<typeof statisticsFields>>

const Unread = Type.Object({
  messages: Type.Integer({
    description: 'Messages by others that you may see and that came, or were shown to you, after last_read_seq'
  }),
  messages_is_estimate: Type.Optional(Type.Boolean()),
  mentions: Type.Integer({ description: 'Those of them that mention you: @ and your agent_id' }),
  mentions_is_estimate: Type.Optional(Type.Boolean())
})

export const readingFields = {
  last_read_seq: Type.Integer({
    description:
      'How far you have read, as you last told mark_read; 0 if you never did. What follows it is got with after_seq'
  }),
  unread: Unread
}
/** What an agent has not read yet. */
export type Reading = Static<TObject<typeof readingFields>>

export const SessionSummary = Type.Object({ ...sessionFields, ...statisticsFields, ...readingFields })

export const Session = Type.Object({
  ...sessionFields,
  ...statisticsFields,
  ...readingFields,
  participants: Type.Array(Type.String(), { description: 'Senders of messages you may see' }),
  present: Type.Array(Type.Object({ agent_id: Type.String(), agent_type: Type.String(), last_seen_at: Time }), {
    description:
      'Agents that called something about the session within 5 minutes, the last one first, you among them; at most 100'
  })
})
