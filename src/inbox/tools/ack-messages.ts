import { Type } from '@sinclair/typebox'
import { HoldsText } from '../../kernel/schema.js'
import { IdempotencyKey, input, MessageId, output, Text } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { messageNotFound } from '../../messages/store/messages.js'
import { acknowledge } from '../store/receipts.js'

const MESSAGES_MAX = 100
const NOTE_MAX = 1000

export const ackMessages = defineTool({
  name: 'ack_messages',
  title: 'Acknowledge messages',
  description: 'Tell the senders of messages in your inbox that you take care of them.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    message_ids: Type.Array(
      { ...MessageId, description: undefined },
      { minItems: 1, maxItems: MESSAGES_MAX, description: 'Messages in your inbox' }
    ),
    note: Type.Optional(Text(1, NOTE_MAX, 'A word to the senders', { [HoldsText]: true })),
    idempotency_key: IdempotencyKey
  }),
  output: output({ count: Type.Integer({ description: 'Messages that are acknowledged now' }) }),
  audit: (_input, { count }) => ({ event_type: 'messages_acknowledged', metadata: { messages: count } }),
  async handler({ message_ids, note }, { db, agent }) {
    const wanted = [...new Set(message_ids)]
    const acked = await acknowledge(db, agent, wanted, note)
    // All or none.
    if (acked.length < wanted.length) throw messageNotFound('message_ids')
    return { count: acked.length }
  }
})
