import { isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../store/messages.js'
import * as sessions from '../../sessions/store/sessions.js'
import { mayWrite } from '../draft.js'
import { IdempotencyKey, input, Message, MessageId, output, VisibilityWord } from '../../kernel/shapes.js'

export const setMessageVisibility = defineTool({
  name: 'set_message_visibility',
  title: 'Change who sees a message',
  description:
    "Change who may see one of your messages, also in a closed session; an admin may do so with anybody's. Those who may no longer see it find it nowhere from then on; those who newly may find it after their cursor.",
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    message_id: MessageId,
    visibility: VisibilityWord('Who may see it from now on'),
    idempotency_key: IdempotencyKey
  }),
  output: output({ message: Message }),
  audit: ({ visibility }, { message }) => ({
    event_type: 'message_visibility_changed',
    session_id: message.session_id,
    resource: `message:${message.id}`,
    metadata: { visibility }
  }),
  affectedTopics: (_input, { message }, { agent }) => [sessionTopic(agent.workspace, message.session_id)],
  async handler({ message_id, visibility }, { db, agent }) {
    const seen = await messages.needMessage(db, agent, message_id)
    if (seen.sender !== agent.agent_id && !isAdmin(agent)) {
      throw new AppError('PERMISSION_DENIED', 'Only its sender, or an admin, may change who sees a message.', {
        context: { required_permission: 'admin', current_permissions: agent.permissions },
        suggestions: ['Ask the sender of the message to change it']
      })
    }
    mayWrite(agent, visibility)
    await sessions.needLocked(db, agent, seen.session_id)
    const message = await messages.needMessage(db, agent, message_id)
    return {
      message:
        message.visibility === visibility ? message : await messages.changeVisibility(db, agent, message, visibility)
    }
  }
})
