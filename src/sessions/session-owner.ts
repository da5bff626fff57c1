import { type Agent, isAdmin } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { SessionRow } from './store/sessions.js'

/** @throws AppError PERMISSION_DENIED for anybody but the session's creator and admins */
export function mayChange(agent: Agent, { created_by }: SessionRow): void {
  if (created_by === agent.agent_id || isAdmin(agent)) return
  throw new AppError('PERMISSION_DENIED', 'Only the creator of a session, or an admin, may change it.', {
    context: { required_permission: 'admin', current_permissions: agent.permissions, created_by_another_agent: true },
    suggestions: [
      'Ask the creator of the session (created_by in get_session) to change it',
      'Add a message to the session instead'
    ]
  })
}
