import { Type } from '@sinclair/typebox'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import { removeSession } from '../store/session-removal.js'
import { lockOwnSession } from '../../sessions/session-owner.js'
import { IdempotencyKey, input, output, SessionId } from '../../kernel/shapes.js'

export const deleteSession = defineTool({
  name: 'delete_session',
  title: 'Delete a session',
  description:
    "Delete a session for good, open or closed, with its messages and every agent's memory " +
    'in it. From then on it is SESSION_NOT_FOUND, and who waits for it or streams it is ' +
    'told. It cannot be taken back: to only put it away call archive_session, to keep a copy ' +
    'call export_session first. For its creator and admins.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  irreversible: () => true,
  commits: 'transaction',
  input: input({ session_id: SessionId, idempotency_key: IdempotencyKey }),
  output: output({ deleted: Type.Boolean({ description: 'true' }), session_id: Type.String() }),
  audit: ({ session_id }) => ({ event_type: 'session_deleted', session_id, resource: `session:${session_id}` }),
  affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ session_id }, { db, agent, auditMetadata }) {
    const session = await lockOwnSession(db, agent, session_id)
    auditMetadata.last_seq = session.last_seq
    await removeSession(db, agent.workspace, session_id, agent.agent_id)
    return { deleted: true, session_id }
  }
})
