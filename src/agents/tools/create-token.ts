import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { allOf, boundsOf, grant, narrowed, PERMISSIONS } from '../../kernel/agent.js'
import { isBound, isPrefix } from '../api-key.js'
import { AppError } from '../../kernel/errors.js'
import { isSameName, typeInName, unseenInName } from '../../kernel/names.js'
import { composed, hasUnseenCharacters } from '../../kernel/text.js'
import { rightsEnded } from '../rights.js'
import { OneOf } from '../../kernel/schema.js'
import type { Claims, Verifiers } from '../verifiers.js'
import { defineTool } from '../../kernel/tool.js'
import { requireSessions } from '../../sessions/store/sessions.js'
import * as tokens from '../store/tokens.js'
import { givenOwnToken } from '../given-token.js'
import { issue, issuedToken } from '../issued-token.js'
import { TYPE_PREFIX } from '../../kernel/addresses.js'
import { AgentId, ExpiresIn, input, Sessions } from '../../kernel/shapes.js'

export const createToken = (verifiers: Verifiers) =>
  defineTool({
    name: 'create_token',
    title: 'Make a narrower token',
    description: 'Make a narrower token from yours, for a helper. It ends with yours.',
    permission: 'none',
    effect: 'adds',
    commits: 'transaction',
    secret: true,
    input: input({
      agent_id: Type.Optional(AgentId('Yours, yours/ and a name, or another name of your key')),
      permissions: Type.Optional(
        Type.Array(OneOf(PERMISSIONS), {
          minItems: 1,
          maxItems: PERMISSIONS.length,
          description: 'What it may do'
        })
      ),
      sessions: Sessions('The only sessions it is for'),
      expires_in: ExpiresIn('Seconds; 0: as long as yours')
    }),
    output: issuedToken,
    audit: (_input, { agent_id, permissions, sessions, expires_at }) => ({
      event_type: 'token_created',
      metadata: { for_agent: agent_id, permissions, sessions, expires_at }
    }),
    async handler({ agent_id, permissions, sessions, expires_in = 0 }, { db, enterWorkspace, agent, caller }) {
      const mine = await givenOwnToken(undefined, agent, caller, verifiers)
      const name = agent_id === undefined || isSameName(agent_id, mine.agent_id) ? mine.agent_id : agent_id
      if (name !== mine.agent_id && hasUnseenCharacters(name)) throw unseenInName('agent_id')
      if (name !== mine.agent_id && name.startsWith(TYPE_PREFIX)) throw typeInName('agent_id')
      if (!(await mayName(mine, name, verifiers))) throw notThatName(mine.agent_id)
      const granted = grant(permissions ?? mine.permissions, allOf(mine.permissions))
      if (granted.length === 0) {
        throw new AppError('PERMISSION_DENIED', 'Your token has none of these permissions to hand on.', {
          context: { argument: 'permissions', current_permissions: mine.permissions },
          suggestions: ['Pass in permissions only what your token has; context lists it']
        })
      }
      await enterWorkspace(mine.workspace)
      if (sessions !== undefined) await requireSessions(db, mine, sessions)
      // Held until this commits, so that whoever revokes it meanwhile revokes this one too.
      if (!(await tokens.hold(db, mine))) throw rightsEnded('token_revoked')
      const asked = expires_in > 0 ? verifiers.tokens.now() + expires_in * 1000 : Infinity
      const bounds = narrowed(boundsOf(mine), { sessions, until: new Date(Math.min(asked, mine.expires_at.getTime())) })
      const { workspace, agent_type } = mine
      return issue(
        db,
        { workspace, agent_id: name, agent_type, permissions: granted, ...bounds },
        { jti: randomUUID(), parent: mine.jti },
        caller,
        verifiers.tokens
      )
    }
  })

/**
 * Its own name, or one below it; where the key is for several names, and the token as the key made it, any of these.
 */
async function mayName(
  { agent_id, key_id, narrowed }: Claims,
  name: string,
  { keys }: Pick<Verifiers, 'keys'>
): Promise<boolean> {
  if (name === agent_id) return true
  const binding = key_id === undefined ? undefined : (await keys.bindingOf(key_id))?.agent_id
  if (binding === undefined ? key_id !== undefined : !isBound(binding, name)) return false
  return (
    composed(name).startsWith(`${composed(agent_id)}/`) ||
    (narrowed !== true && binding !== undefined && isPrefix(binding))
  )
}

function notThatName(agent_id: string): AppError {
  return new AppError('PERMISSION_DENIED', 'Your token makes no tokens for an agent of that name.', {
    context: {
      argument: 'agent_id',
      allowed:
        'your own agent_id, or one that begins with ' +
        `${JSON.stringify(`${agent_id}/`)} if your key is for several names`
    },
    suggestions: [
      'Leave agent_id out: the token is then for your own name',
      'Or, if your key is for several names, pass your agent_id, a slash and a name',
      'Or have an admin make an API key for that name'
    ]
  })
}
