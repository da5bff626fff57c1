import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'

/**
 * Checks that the agent may act on its whole workspace.
 * @throws AppError PERMISSION_DENIED for an agent that is limited to certain sessions
 */
export function needWholeWorkspace(agent: Agent): void {
  if (agent.sessions === undefined) return
  throw new AppError(
    'PERMISSION_DENIED',
    'This concerns the whole workspace, and your credentials are limited to certain sessions.',
    {
      context: {
        required_permission: 'admin',
        current_permissions: agent.permissions,
        limited_to_sessions: agent.sessions.length
      },
      suggestions: ['Ask an admin without that limit to do it']
    }
  )
}
