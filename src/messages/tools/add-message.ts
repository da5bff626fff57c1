import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { contentRule } from '../../kernel/message-shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { guarded } from '../store/loops.js'
import type { MessageWriter } from '../store/message-writer.js'
import { reachedFields } from '../reached-fields.js'
import type { Written } from '../store/messages.js'
import { draftFields, draftOf } from '../draft.js'
import { Time } from '../../kernel/answer-shapes.js'
import { IdempotencyKey, input, output, SessionId } from '../../kernel/shapes.js'

export const addMessage = (writer: MessageWriter, loop_guard: number) =>
  defineTool({
    name: 'add_message',
    title: 'Write a message',
    description:
      'Write a message. visibility: public (everyone), private (you), agent_only (your agent_type), direct (you and ' +
      'to), admin_only (admins, who alone write it).',
    permission: 'write',
    effect: 'adds',
    commits: 'batch',
    input: input({ session_id: SessionId, ...draftFields, idempotency_key: IdempotencyKey }, contentRule),
    output: output({
      message_id: Type.Integer(),
      seq: Type.Integer(),
      timestamp: Time,
      session_id: Type.String(),
      ...reachedFields
    }),
    audit: ({ session_id }) => ({ event_type: 'message_added', session_id }),
    affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
    async handler({ session_id, ...draft }, { db, agent, receipt }) {
      const drafts = [draftOf(agent, draft)]
      const { done, ...warned } = await guarded(db, agent, drafts, loop_guard, () =>
        writer.write({ sender: agent, session_id, drafts, ...receipt })
      )
      const { id, seq, timestamp } = done[0] as Written
      return { message_id: id, seq, timestamp, session_id, ...done[0]?.reached, ...warned }
    }
  })
