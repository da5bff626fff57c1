import { Type } from '@sinclair/typebox'
import { isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import { removeMessages } from '../store/message-removal.js'
import * as messages from '../store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { IdempotencyKey, input, MessageId, output } from '../../kernel/shapes.js'

export const deleteMessage = defineTool({
  name: 'delete_message',
  title: 'Delete a message',
  description:
    "Delete one of your messages for good, also in a closed session; an admin may delete anybody's. Its text and metadata are gone at once, from searches and counts too. Who could see it and follows the session is told that it was deleted. Answers to it stay, with its id as their parent_message_id.",
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
    const { sender, session_id } = await messages.needMessage(db, agent, message_id)
    if (sender !== agent.agent_id && !isAdmin(agent)) {
      throw new AppError('PERMISSION_DENIED', 'Only its sender, or an admin, may delete a message.', {
        context: { required_permission: 'admin', current_permissions: agent.permissions },
        suggestions: ['Ask the sender of the message to delete it']
      })
    }
    await sessions.needLocked(db, agent, session_id)
    // Of two that delete it, one finds it still there.
    await messages.needMessage(db, agent, message_id)
    const { last_seq } = await removeMessages(db, {
      workspace: agent.workspace,
      session_id,
      ids: [message_id],
      told: { changed_by: agent.agent_id }
    })
    return { deleted: true, message_id, session_id, seq: last_seq }
  }
})
