import { type Static, Type } from '@sinclair/typebox'
import type { Agent } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { mcpTopic, type Topic } from '../kernel/events.js'
import type { Tokens } from './verifiers.js'
import type { AuditFields } from '../kernel/tool.js'
import * as mcpSessions from './store/mcp-sessions.js'
import type { Db } from '../postgres/schema.js'
import * as tokens from './store/tokens.js'
import { Time } from '../kernel/answer-shapes.js'
import { OneOf } from '../kernel/schema.js'
import { output } from '../kernel/shapes.js'
import { keyFields } from './managed-keys.js'

/** The answer of the tools that issue a token. */
export const issuedToken = output({
  token: Type.String(),
  token_type: OneOf(['Bearer']),
  agent_id: Type.String(),
  agent_type: Type.String(),
  permissions: Type.Array(Type.String()),
  sessions: keyFields.sessions,
  issued_at: Time,
  expires_at: Time,
  expires_in: Type.Integer({ description: 'Seconds until it expires' })
})

/**
 * Signs a token and records it. If an MCP session requested it, the session is authenticated with it from now on.
 * @param replaced the token that it replaces: then only a session that was authenticated with that token changes
 * @param parent the token that it was derived from, for another client: then no session changes
 */
export async function issue(
  db: Db,
  agent: Omit<Agent, 'token'>,
  { jti, replaced, parent }: { jti: string; replaced?: string; parent?: string },
  caller: Caller,
  { sign }: Pick<Tokens, 'sign'>
): Promise<Static<typeof issuedToken>> {
  const { token, issued_at, expires_at } = sign(agent, jti)
  const { agent_id, agent_type, permissions, sessions } = agent
  await tokens.remember(db, agent, jti, issued_at, expires_at, parent)
  if (replaced !== undefined) await tokens.replace(db, replaced, jti)
  const session = caller.credentials.mcp_session
  // Refreshing another agent's token does not authenticate the session as that agent.
  const takesOver = parent === undefined && (replaced === undefined || session?.identity?.jti === replaced)
  if (session !== undefined && takesOver)
    await mcpSessions.bind(db, session.id_hash, { ...agent, jti, issued_at, expires_at })
  return {
    token,
    token_type: 'Bearer',
    agent_id,
    agent_type,
    permissions,
    sessions: sessions === undefined ? null : [...sessions],
    issued_at: issued_at.toISOString(),
    expires_at: expires_at.toISOString(),
    expires_in: Math.round((expires_at.getTime() - issued_at.getTime()) / 1000)
  }
}

export function tokenAudit(event_type: string) {
  return (_input: unknown, answer: Static<typeof issuedToken>): AuditFields => ({
    event_type,
    agent_id: answer.agent_id,
    metadata: { agent_type: answer.agent_type, permissions: answer.permissions }
  })
}

/** The topics to publish: the identity of the MCP session that requested the token has changed. */
export function ofMcpSession(_input: unknown, _output: unknown, { caller }: { caller: Caller }): readonly Topic[] {
  const session = caller.credentials.mcp_session
  return session === undefined ? [] : [mcpTopic(session.id_hash)]
}
