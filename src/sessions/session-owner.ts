import { type Agent, isAdmin } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Db } from '../postgres/schema.js'
import { lockSession, type SessionRow } from './store/sessions.js'

/**
 * Locks a session that the agent may change, until the transaction ends.
 * @throws AppError SESSION_NOT_FOUND; PERMISSION_DENIED unless the agent is its creator or an admin
 */
export async function lockOwnSession(tx: Db, agent: Agent, id: string): Promise<SessionRow & { last_seq: number }> {
  const session = await lockSession(tx, agent, id)
  if (session.created_by === agent.agent_id || isAdmin(agent)) return session
  throw new AppError('PERMISSION_DENIED', 'Only the creator of a session, or an admin, may change it.', {
    context: { required_permission: 'admin', current_permissions: agent.permissions, created_by_another_agent: true },
    suggestions: [
      'Ask the creator of the session (created_by in get_session) to change it',
      'Add a message to the session instead'
    ]
  })
}
