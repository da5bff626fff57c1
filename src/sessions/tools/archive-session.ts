import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../store/sessions.js'
import { mayChange } from '../session-owner.js'
import { sessionView } from './session-view.js'
import { IdempotencyKey, input, output, Session, SessionId } from '../../kernel/shapes.js'

export const archiveSession = defineTool({
  name: 'archive_session',
  title: 'Put a session away',
  description:
    'Put a session away: it is closed, and left out of list_sessions and of a search_context without session_id. Who has its session_id can still read and search it, and list_sessions with archived: true lists it. For its creator and admins. To take it back, reopen it: update_session with is_active: true.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ session_id: SessionId, idempotency_key: IdempotencyKey }),
  output: output({ session: Session }),
  audit: ({ session_id }) => ({ event_type: 'session_archived', session_id, resource: `session:${session_id}` }),
  affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ session_id }, { db, agent }) {
    const session = await sessions.needLocked(db, agent, session_id)
    mayChange(agent, session)
    if (session.archived_at === null) await sessions.patch(db, agent, session_id, { archived: true })
    return { session: await sessionView(db, agent, await sessions.need(db, agent, session_id)) }
  }
})
