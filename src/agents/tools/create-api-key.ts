import { Type } from '@sinclair/typebox'
import { PERMISSIONS } from '../../kernel/agent.js'
import { newApiKey } from '../api-key.js'
import { AppError } from '../../kernel/errors.js'
import { OneOf } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import * as apiKeys from '../store/api-keys.js'
import { nameForKey } from '../store/stored-agents.js'
import { requireSessions } from '../../sessions/store/sessions.js'
import { keyFields, keyView, managedBy } from '../managed-keys.js'
import { AgentId, AgentType, ExpiresIn, input, output, Sessions, Workspace } from '../../kernel/shapes.js'

export const createApiKey = defineTool({
  name: 'create_api_key',
  title: 'Make an API key',
  description:
    'For admins: make an API key for one agent, or for all whose names begin alike, with what it may do and in which ' +
    'sessions. The key is shown once, in this answer, and kept nowhere: give it to the agent, which uses it as ' +
    'api_key of authenticate_agent or as X-API-Key.',
  permission: 'admin',
  effect: 'adds',
  commits: 'transaction',
  secret: true,
  input: input({
    agent_id: AgentId('Whom it is for: an agent_id, or the beginning of several and a *, such as research-*'),
    agent_type: AgentType('The type of these agents'),
    permissions: Type.Optional(
      Type.Array(OneOf(PERMISSIONS), {
        minItems: 1,
        maxItems: PERMISSIONS.length,
        default: ['read', 'write'],
        description: 'What they may do'
      })
    ),
    sessions: Sessions('The only sessions they may see and write in; left out: all you may'),
    expires_in: ExpiresIn('Seconds until it ends; 0: as late as yours does, or never'),
    workspace: Workspace('. One that is new begins with its first key')
  }),
  output: output({ api_key: Type.String({ description: 'The key itself, shown this once' }), ...keyFields }),
  audit: (_input, { key_id, agent_id, agent_type, permissions, sessions, expires_at }) => ({
    event_type: 'api_key_created',
    resource: `api_key:${key_id}`,
    metadata: { for_agent: agent_id, agent_type, permissions, sessions, expires_at }
  }),
  async handler(
    { agent_id, agent_type, permissions = ['read', 'write'], sessions, expires_in = 0, workspace },
    { db, enterWorkspace, agent }
  ) {
    // It would outlive the token, and the token's revocation.
    if (agent.narrowed === true) {
      throw new AppError('PERMISSION_DENIED', 'A narrowed token makes no API keys.', {
        context: { required_permission: 'admin', current_permissions: agent.permissions },
        suggestions: ['Ask an admin who has a key of its own']
      })
    }
    const managed = managedBy(agent, workspace)
    await enterWorkspace(managed.workspace)
    const within = sessions ?? agent.sessions
    if (within !== undefined) await requireSessions(db, managed, within)
    const { api_key, key_id, hash } = newApiKey()
    // An admin has every permission, so there is none that it could not grant.
    const key = await apiKeys.create(db, {
      workspace: managed.workspace,
      key_id,
      hash,
      agent_id: await nameForKey(db, managed.workspace, agent_id),
      agent_type,
      permissions: PERMISSIONS.filter(permission => permissions.includes(permission)),
      sessions: within === undefined ? null : [...new Set(within)],
      created_by: agent.agent_id,
      created_with: agent.key_id ?? null,
      expires_in: expires_in === 0 ? undefined : expires_in,
      until: agent.until
    })
    return { api_key, ...keyView(key) }
  }
})
