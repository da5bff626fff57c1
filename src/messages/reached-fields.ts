import { Type } from '@sinclair/typebox'
import { Nullable, Time } from '../kernel/answer-shapes.js'

/** What the answer to a writer says beside what it has written: whom its messages reach, and warnings. */
export const reachedFields = {
  addressed: Type.Optional(
    Type.Array(
      Type.Object({
        agent_id: Type.String({ description: 'As in to' }),
        known: Type.Boolean({ description: 'Whether such an agent has called in the last 30 days' }),
        last_seen_at: Nullable(Time),
        waiting: Type.Boolean({ description: 'Whether it waits for messages, tasks or the like now' })
      }),
      { description: 'Whom the messages are addressed to' }
    )
  ),
  mentions: Type.Optional(
    Type.Array(Type.String(), { description: 'The agents that the text mentions, by @ and name' })
  ),
  unresolved_mentions: Type.Optional(
    Type.Array(Type.String(), { description: 'Names after an @ that no agent of the workspace has' })
  ),
  warnings: Type.Optional(Type.Array(Type.String(), { description: 'What the sender should think of' }))
}
