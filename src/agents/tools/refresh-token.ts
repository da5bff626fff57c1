import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { boundsOf } from '../../kernel/agent.js'
import { rightsEnded } from '../rights.js'
import { defineTool } from '../../kernel/tool.js'
import * as tokens from '../store/tokens.js'
import { issue, issuedToken, ofMcpSession, tokenAudit } from '../issued-token.js'
import { givenOwnToken, TokenText } from '../given-token.js'
import { input } from '../../kernel/shapes.js'
import type { Verifiers } from '../verifiers.js'

export const refreshToken = (verifiers: Verifiers) =>
  defineTool({
    name: 'refresh_token',
    title: 'Refresh a token',
    description: 'Exchange a token, before expires_at, for a new one; the old one ends.',
    permission: 'none',
    effect: 'replaces',
    commits: 'transaction',
    secret: true,
    input: input({
      current_token: Type.Optional(TokenText('Left out: your own'))
    }),
    output: issuedToken,
    audit: tokenAudit('token_refreshed'),
    affectedTopics: ofMcpSession,
    async handler({ current_token }, { db, enterWorkspace, caller, agent }) {
      const claims = await givenOwnToken(current_token, agent, caller, verifiers)
      await enterWorkspace(claims.workspace)
      await tokens.lockAgent(db, claims.workspace, claims.agent_id)
      if (!(await tokens.revoke(db, claims))) throw rightsEnded('token_revoked')
      const { workspace, agent_id, agent_type, permissions, jti: replaced } = claims
      return issue(
        db,
        { workspace, agent_id, agent_type, permissions, ...boundsOf(claims) },
        { jti: randomUUID(), replaced },
        caller,
        verifiers.tokens
      )
    }
  })
