import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../../sessions/store/sessions.js'
import { setReadUpTo } from '../../inbox/store/receipts.js'
import { moveReadCursor, readings } from '../store/unread.js'
import { type Reading, readingFields } from '../../kernel/answer-shapes.js'
import { IdempotencyKey, input, output, Seq, SessionId } from '../../kernel/shapes.js'

export const markRead = defineTool({
  name: 'mark_read',
  title: 'Remember how far you have read',
  description:
    'Remember how far you have read a session: pass last_seq of your last get_messages as up_to_seq. get_session ' +
    'and list_sessions then count what is unread. It never goes back; without up_to_seq everything counts as read, ' +
    'also what came since you last looked.',
  // Only the caller's own view changes: whoever may read may remember how far, or its counts would only ever grow.
  permission: 'read',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({
    session_id: SessionId,
    up_to_seq: Type.Optional(Seq("The last seq you have read, at most the session's last; absent: all there is now")),
    idempotency_key: IdempotencyKey
  }),
  output: output({ session_id: Type.String(), ...readingFields }),
  audit: ({ session_id }, { last_read_seq }) => ({
    event_type: 'session_read',
    session_id,
    resource: `session:${session_id}`,
    metadata: { last_read_seq }
  }),
  async handler({ session_id, up_to_seq }, { db, agent }) {
    const { last_seq } = await sessions.readSessionOrThrow(db, agent, session_id)
    if (up_to_seq !== undefined && up_to_seq > last_seq) throw beyondHead(last_seq)
    await setReadUpTo(db, agent, session_id, up_to_seq ?? last_seq)
    await moveReadCursor(db, agent, session_id, up_to_seq ?? last_seq)
    const [reading] = await readings(db, agent, [session_id])
    return { session_id, ...(reading as Reading) }
  }
})

/** Most likely another session's: taken for "everything", it would hide what was never read. */
function beyondHead(last_seq: number): AppError {
  return new AppError('INVALID_INPUT', 'up_to_seq lies beyond the end of the session.', {
    context: {
      argument: 'up_to_seq',
      given: "a number beyond the session's last seq",
      allowed: `a whole number from 0 to ${last_seq}`
    },
    suggestions: [
      'Pass last_seq as get_messages returned it for this session, or leave up_to_seq out to mark everything as read'
    ]
  })
}
