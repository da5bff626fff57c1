import { Type } from '@sinclair/typebox'
import { isAdmin } from '../../kernel/agent.js'
import { notBoth } from '../../kernel/page-rules.js'
import { AppError } from '../../kernel/errors.js'
import { defineTool } from '../../kernel/tool.js'
import * as tokens from '../store/tokens.js'
import { givenToken, TokenText } from '../given-token.js'
import { AgentId, input, output } from '../../kernel/shapes.js'
import type { Verifiers } from '../verifiers.js'
import { needWholeWorkspace } from '../whole-workspace.js'

export const revokeToken = (verifiers: Verifiers) =>
  defineTool({
    name: 'revoke_token',
    title: 'Revoke a token',
    description: 'End a token and those made from it. With agent_id, an admin ends all of an agent.',
    permission: 'none',
    effect: 'replaces',
    commits: 'transaction',
    input: input(
      {
        token: Type.Optional(TokenText('Left out: your own')),
        agent_id: Type.Optional(AgentId('Whose tokens; admins only'))
      },
      notBoth('token', 'agent_id')
    ),
    output: output({
      revoked: Type.Integer({
        description: 'How many tokens were revoked; with agent_id, those of an outside issuer are not counted'
      })
    }),
    audit: ({ agent_id }, { revoked }) => ({
      event_type: 'token_revoked',
      metadata: { revoked, ...(agent_id !== undefined && { of_agent: agent_id }) }
    }),
    async handler({ token, agent_id }, { db, enterWorkspace, agent, caller, auditMetadata }) {
      if (agent_id === undefined) {
        const claims = await givenToken(token, agent, caller, verifiers)
        await enterWorkspace(claims.workspace)
        auditMetadata.of_agent = claims.agent_id
        return { revoked: (await tokens.revoke(db, claims)) ? 1 + (await tokens.revokeMadeFrom(db, [claims.jti])) : 0 }
      }
      if (token !== undefined) {
        throw new AppError('INVALID_INPUT', 'Pass either token or agent_id, not both.', {
          context: { argument: 'agent_id', given: 'both', allowed: 'one of the two' }
        })
      }
      if (agent === null)
        throw new AppError('AUTHENTICATION_REQUIRED', 'Revoking the tokens of an agent needs an admin.')
      if (!isAdmin(agent)) {
        throw new AppError('PERMISSION_DENIED', 'Only an admin may revoke the tokens of an agent.', {
          context: { required_permission: 'admin', current_permissions: agent.permissions },
          suggestions: ['Leave agent_id out to revoke your own token']
        })
      }
      needWholeWorkspace(agent)
      return { revoked: await tokens.revokeAgent(db, agent.workspace, agent_id) }
    }
  })
