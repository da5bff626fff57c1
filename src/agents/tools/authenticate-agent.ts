import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { allOf, type Bounds, boundsOf, grant, narrowed, type Permission } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { isSameName } from '../../kernel/names.js'
import { grantOf, keyIn, nameWithKey } from '../identify.js'
import { boundType } from '../keys.js'
import { namedAgent } from '../named-agent.js'
import { defineTool } from '../../kernel/tool.js'
import { requireSessions } from '../../sessions/store/sessions.js'
import * as tokens from '../store/tokens.js'
import { issue, issuedToken, ofMcpSession, tokenAudit } from '../issued-token.js'
import { AgentId, AgentType, ExpiresIn, input, Sessions, Text } from '../../kernel/shapes.js'
import type { Limits } from '../../limits/rate-limits.js'
import type { Verifiers } from '../verifiers.js'

const PERMISSIONS_ASKED_MAX = 20

export const authenticateAgent = (verifiers: Verifiers, limits: Limits) => {
  /** The arguments of calls that have been counted: a transaction that is repeated gets the same object again. */
  const counted = new WeakSet<object>()
  return defineTool({
    name: 'authenticate_agent',
    title: 'Authenticate',
    description:
      'Exchange an API key for a token; call this first. Send it as Authorization: Bearer <token> or as auth_token; ' +
      'an MCP connection of 2025 then needs neither.',
    ifNamed: {
      description:
        'Exchange an API key for a token of another agent. This connection is an agent already, and needs no token ' +
        'to call the tools. Pass switch: true to go on as the other agent.',
      argument: 'switch'
    },
    permission: 'none',
    credentials: 'own',
    effect: 'adds',
    commits: 'transaction',
    secret: true,
    input: input({
      agent_id: AgentId('Your name'),
      agent_type: AgentType('Such as claude or reviewer'),
      api_key: Type.Optional(Text(0, 1000, 'Your API key, unless X-API-Key has it')),
      requested_permissions: Type.Optional(
        Type.Array(Type.String({ maxLength: 100 }), {
          maxItems: PERMISSIONS_ASKED_MAX,
          default: ['read', 'write'],
          description: 'Of read, write, admin'
        })
      ),
      sessions: Sessions('The only sessions it is for'),
      expires_in: ExpiresIn('Seconds; 0: as long as it may'),
      switch: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'MCP: be another agent than the connection'
        })
      )
    }),
    output: issuedToken,
    audit: tokenAudit('agent_authenticated'),
    affectedTopics: ofMcpSession,
    async handler(input, { db, enterWorkspace, caller, auditMetadata }) {
      const { agent_type, api_key, sessions, expires_in = 0 } = input
      const named = caller.front === 'mcp' && input.switch !== true ? await namedAgent(caller, verifiers) : undefined
      if (named !== undefined && !isSameName(named, input.agent_id)) throw alreadyNamed(named)
      const key = api_key ?? keyIn(caller.credentials)
      if (key === undefined || key === '') throw new AppError('INVALID_API_KEY', 'No API key was given.')
      const allowed = await grantOf(key, verifiers)
      const { workspace, key_id } = allowed
      const agent_id = await nameWithKey(allowed, input.agent_id, verifiers, 'agent_id')
      boundType(allowed, agent_id, agent_type, agent_type)
      await enterWorkspace(workspace)
      if (key_id !== undefined) auditMetadata.key_id = key_id
      const permissions = grant(input.requested_permissions ?? ['read', 'write'], allOf(allowed.permissions))
      if (permissions.length === 0) throw noneGranted(workspace, allowed.permissions)
      if (sessions !== undefined) await requireSessions(db, allowed, sessions)
      let bounds: Bounds = boundsOf(allowed)
      if (sessions !== undefined || expires_in > 0)
        bounds = narrowed(bounds, {
          sessions,
          until: expires_in > 0 ? new Date(verifiers.tokens.now() + expires_in * 1000) : undefined
        })
      const agent = { workspace, agent_id, agent_type, permissions, ...bounds }
      if (!counted.has(input)) await limits.call(agent, caller.onRateLimit)
      counted.add(input)
      await tokens.lockAgent(db, workspace, agent_id)
      return issue(db, agent, { jti: randomUUID() }, caller, verifiers.tokens)
    }
  })
}

function alreadyNamed(agent_id: string): AppError {
  return new AppError('INVALID_INPUT', 'This connection is another agent already. To switch, pass switch: true.', {
    context: { argument: 'switch', given: 'another agent_id', allowed: 'true, to become another agent', agent_id },
    suggestions: [
      'Call the other tools right away: this connection needs no token',
      'Or pass switch: true to become another agent'
    ]
  })
}

function noneGranted(workspace: string, permissions: readonly Permission[]): AppError {
  return new AppError('PERMISSION_DENIED', 'The API key grants none of the permissions asked for.', {
    workspace,
    context: { argument: 'requested_permissions', current_permissions: permissions },
    suggestions: ['Pass in requested_permissions what the key does grant; context lists it']
  })
}
