import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { sessionTopic } from '../../kernel/events.js'
import { defineTool } from '../../kernel/tool.js'
import * as sessions from '../store/sessions.js'
import { lockOwnSession } from '../session-owner.js'
import { sessionView } from './session-view.js'
import { Session } from '../../kernel/answer-shapes.js'
import { Metadata } from '../../kernel/metadata-shapes.js'
import { IdempotencyKey, input, output, Purpose, SessionId } from '../../kernel/shapes.js'

export const updateSession = defineTool({
  name: 'update_session',
  title: 'Change, close or reopen a session',
  description:
    "Change a session's purpose or metadata (which is replaced as a whole), close it with is_active: false, " +
    'or reopen it with is_active: true, which also takes it out of the archive. For its creator and admins. ' +
    'A closed session can be read, not written.',
  permission: 'write',
  effect: 'replaces',
  commits: 'transaction',
  input: input(
    {
      session_id: SessionId,
      purpose: Type.Optional(Purpose('The new purpose')),
      metadata: Metadata('The new metadata, in place of all of the old'),
      is_active: Type.Optional(Type.Boolean({ description: 'false closes the session, true reopens it' })),
      idempotency_key: IdempotencyKey
    },
    { anyOf: [{ required: ['purpose'] }, { required: ['metadata'] }, { required: ['is_active'] }] }
  ),
  output: output({ session: Session }),
  audit: ({ session_id, purpose, metadata, is_active }) => ({
    event_type: is_active === undefined ? 'session_updated' : is_active ? 'session_opened' : 'session_closed',
    session_id,
    resource: `session:${session_id}`,
    metadata: {
      changed: Object.entries({ purpose, metadata, is_active }).flatMap(([name, value]) =>
        value === undefined ? [] : [name]
      )
    }
  }),
  affectedTopics: ({ session_id }, _output, { agent }) => [sessionTopic(agent.workspace, session_id)],
  async handler({ session_id, purpose, metadata, is_active }, { db, agent }) {
    if (purpose === undefined && metadata === undefined && is_active === undefined) {
      throw new AppError('INVALID_INPUT', 'Nothing was given to change.', {
        context: { argument: 'purpose', given: 'nothing', allowed: 'at least one of purpose, metadata, is_active' },
        suggestions: ['Pass purpose, metadata or is_active']
      })
    }
    const session = await lockOwnSession(db, agent, session_id)
    if (!session.is_active && is_active !== true && (purpose !== undefined || metadata !== undefined))
      throw sessions.sessionClosed()
    await sessions.patch(db, agent, session_id, { purpose, metadata, is_active })
    return { session: await sessionView(db, agent, session_id) }
  }
})
