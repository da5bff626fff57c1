import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import { removeMessages } from '../store/message-removal.js'
import { lockOwnMessage } from '../store/messages.js'
import { IdempotencyKey, input, MessageId, output } from '../../kernel/shapes.js'

export const deleteMessage = defineTool({
  name: 'delete_message',
  title: 'Delete a message',
  description:
    "Delete one of your messages for good, also in a closed session; an admin may delete anybody's. " +
    'Its text and metadata are gone at once, from searches and counts too. ' +
    'Agents that follow the session and could see the message are told that it was deleted. ' +
    'Answers to it stay, with its id as their parent_message_id.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ message_id: MessageId, idempotency_key: IdempotencyKey }),
  output: output({
    deleted: Type.Boolean({ description: 'true' }),
    message_id: Type.Integer(),
    session_id: Type.String(),
    seq: Type.Integer({ description: "The place of the deletion in the order of the session's changes" })
  }),
  audit: (_input, { message_id, session_id }) => ({
    event_type: 'message_deleted',
    session_id,
    resource: `message:${message_id}`
  }),
  affectedTopics: (_input, { session_id }, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ message_id }, { db, agent }) {
    // Of two callers that delete it, one finds it.
    const { session_id } = await lockOwnMessage(db, agent, message_id)
    const { last_seq } = await removeMessages(db, {
      workspace: agent.workspace,
      session_id,
      ids: [message_id],
      told: { changed_by: agent.agent_id }
    })
    return { deleted: true, message_id, session_id, seq: last_seq }
  }
})
