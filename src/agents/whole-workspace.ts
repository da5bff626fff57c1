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

/**
 * Checks that the agent acts for the operator of the server, and not for one of its workspaces.
 * @param what the caller may not do, for the error's sentence
 * @throws AppError PERMISSION_DENIED unless its credentials come from the shared ADMIN_API_KEY
 */
export function needOperator(agent: Agent, what: string): void {
  if (agent.operator === true) return
  throw new AppError(
    'PERMISSION_DENIED',
    `${what} concern all workspaces, and your credentials are for one. Only the operator of the server reads them.`,
    {
      context: { required_permission: 'operator', current_permissions: agent.permissions },
      suggestions: ['Ask the operator of this server, who has the shared ADMIN_API_KEY and the page GET /metrics']
    }
  )
}
