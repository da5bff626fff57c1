import { inboxTopic, sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as messages from '../store/messages.js'
import { mayWrite, notAddressed } from '../draft.js'
import { Message } from '../../kernel/answer-shapes.js'
import { VisibilityWord } from '../../kernel/message-shapes.js'
import { IdempotencyKey, input, MessageId, output } from '../../kernel/shapes.js'

export const setMessageVisibility = defineTool({
  name: 'set_message_visibility',
  title: 'Change who sees a message',
  description:
    "Change who may see one of your messages, also in a closed session; an admin may do so with anybody's. " +
    'Agents that may no longer see it find it nowhere from then on; agents that newly may find it after their cursor.',
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
  async handler({ message_id, visibility }, { db, agent, alsoAffects }) {
    const message = await messages.lockOwnMessage(db, agent, message_id)
    mayWrite(agent, visibility)
    // Nobody can be added to those a message was addressed to.
    if (visibility === 'direct' && message.to === undefined) throw notAddressed()
    if (message.visibility === visibility) return { message }
    const names = await messages.changeVisibility(db, agent, message, visibility)
    alsoAffects(names.map(name => inboxTopic(agent.workspace, name)))
    return { message: { ...message, visibility } }
  }
})
