import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { contentRule } from '../../kernel/message-shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { guarded } from '../store/loops.js'
import type { MessageWriter } from '../store/message-writer.js'
import { reachedFields } from '../reached-fields.js'
import { draftFields, draftOf } from '../draft.js'
import { IdempotencyKey, input, output, SessionId } from '../../kernel/shapes.js'

export const addMessages = (writer: MessageWriter, loop_guard: number) =>
  defineTool({
    name: 'add_messages',
    title: 'Write several messages',
    description:
      'Write up to 100 messages into a session at once, in the order given: all of them or, if one is refused, none.',
    permission: 'write',
    effect: 'adds',
    commits: 'batch',
    input: input({
      session_id: SessionId,
      messages: Type.Array(input(draftFields, contentRule), {
        minItems: 1,
        maxItems: 100,
        description: 'The messages, each as for add_message'
      }),
      idempotency_key: IdempotencyKey
    }),
    output: output({ message_ids: Type.Array(Type.Integer()), count: Type.Integer(), ...reachedFields }),
    audit: ({ session_id }) => ({ event_type: 'message_added', session_id }),
    affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
    async handler({ session_id, messages }, { db, agent, receipt }) {
      const drafts = messages.map((each, i) => draftOf(agent, each, `messages/${i}/content`))
      const { done, ...warned } = await guarded(db, agent, drafts, loop_guard, () =>
        writer.write({ sender: agent, session_id, drafts, ...receipt })
      )
      return {
        message_ids: done.map(message => message.id),
        count: done.length,
        ...done[0]?.reached,
        ...warned
      }
    }
  })
