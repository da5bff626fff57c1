import { Type } from '@sinclair/typebox'
import { auditRow } from '../../kernel/call.js'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import { draftFields, mayWrite } from '../draft.js'
import { IdempotencyKey, input, output, SessionId } from '../../kernel/shapes.js'

export const addMessages = defineTool({
  name: 'add_messages',
  title: 'Write several messages',
  description:
    'Write up to 100 messages into a session at once, in the order given: all of them or, if one is refused, none.',
  permission: 'write',
  effect: 'adds',
  commits: 'batch',
  input: input({
    session_id: SessionId,
    messages: Type.Array(input(draftFields), {
      minItems: 1,
      maxItems: 100,
      description: 'The messages, each as for add_message'
    }),
    idempotency_key: IdempotencyKey
  }),
  output: output({ message_ids: Type.Array(Type.Integer()), count: Type.Integer() }),
  affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ session_id, messages: drafts }, { agent, caller, service, idempotencyKey: once }) {
    for (const { visibility = 'public' } of drafts) mayWrite(agent, visibility)
    const audit = auditRow({ event_type: 'message_added', session_id }, 'add_messages', agent, caller)
    const complete = drafts.map(({ visibility = 'public', metadata = {}, ...draft }) => ({
      ...draft,
      visibility,
      metadata
    }))
    const written = await service.messages.write({
      sender: agent,
      session_id,
      drafts: complete,
      audit,
      idempotencyKey: once
    })
    return { message_ids: written.map(message => message.id), count: written.length }
  }
})
