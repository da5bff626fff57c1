import { Type } from '@sinclair/typebox'
import type { Agent } from '../kernel/agent.js'
import type { ApiKey } from './api-key.js'
import { AppError } from '../kernel/errors.js'
import type { ManagedKeyScope } from './store/api-keys.js'
import { Nullable, Time } from '../kernel/answer-shapes.js'

/** The fields of a key that are shown to admins who manage it. */
export const keyFields = {
  key_id: Type.String(),
  workspace: Type.String(),
  agent_id: Type.String({ description: 'The agent_id it is for; with * at its end, what agent_ids begin with' }),
  agent_type: Type.String(),
  permissions: Type.Array(Type.String()),
  sessions: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'The only sessions it may see and write in; null: all'
  }),
  created_at: Time,
  expires_at: Nullable(Time)
}

export function keyView({ created_by: _by, created_with: _with, revoked_at: _at, ...view }: ApiKey) {
  return view
}

/**
 * Which keys an admin may manage.
 * @throws AppError PERMISSION_DENIED for another workspace, unless the agent is the operator
 */
export function managedBy(agent: Agent, workspace: string | undefined): ManagedKeyScope {
  if (workspace !== undefined && workspace !== agent.workspace && agent.operator !== true) {
    throw new AppError(
      'PERMISSION_DENIED',
      'Only the operator may name another workspace: with the shared ADMIN_API_KEY, or by command.',
      {
        context: { argument: 'workspace', allowed: agent.workspace, current_permissions: agent.permissions },
        suggestions: ['Leave workspace out to manage the keys of your own']
      }
    )
  }
  return { workspace: workspace ?? agent.workspace, sessions: agent.sessions }
}
