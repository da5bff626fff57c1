import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../store/sessions.js'
import { mayChange } from '../session-owner.js'
import { sessionView } from './session-view.js'
import { IdempotencyKey, input, output, Session, SessionId } from '../../kernel/shapes.js'

export const closeSession = defineTool({
  name: 'close_session',
  title: 'Close a session',
  description:
    'Close a session when its work is done: it can still be read and searched, not written. For its creator and admins. Closing it again changes nothing; update_session with is_active: true reopens it.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ session_id: SessionId, idempotency_key: IdempotencyKey }),
  output: output({ session: Session }),
  audit: ({ session_id }) => ({ event_type: 'session_closed', session_id, resource: `session:${session_id}` }),
  affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ session_id }, { db, agent }) {
    const session = await sessions.needLocked(db, agent, session_id)
    mayChange(agent, session)
    if (session.is_active) await sessions.patch(db, agent, session_id, { is_active: false })
    return { session: await sessionView(db, agent, await sessions.need(db, agent, session_id)) }
  }
})
