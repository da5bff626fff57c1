import { createHash } from 'node:crypto'
import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import type { Tokens } from './verifiers.js'

/** What ends the rights of somebody who listens: its token or, where it came without one, its API key. */
export type RightsEnd = 'token_revoked' | 'token_expired' | 'key_revoked' | 'key_expired'

type Holder = Pick<Agent, 'token' | 'key_id' | 'until'>

/** The id of an agent's mark among revoked tokens: a digest, which says nothing of the name once that is erased. */
export function revocationMarkerOf(workspace: string, agent_id: string): string {
  return `agent:${createHash('sha256')
    .update(JSON.stringify([workspace, agent_id]))
    .digest('base64url')}`
}

/** As far as memory knows; undefined: it cannot tell. */
export function knownEnd(agent: Holder, tokens: Pick<Tokens, 'knownRevoked'>): RightsEnd | false | undefined {
  const what = agent.token === undefined ? 'key' : 'token'
  const ends = agent.token?.expires_at ?? agent.until
  if (ends !== undefined && ends.getTime() <= Date.now()) return `${what}_expired`
  // Asked for each change and each who listens: without a list.
  const token = agent.token === undefined ? false : tokens.knownRevoked(agent.token.jti)
  const mark =
    agent.token?.mark === undefined ? false : tokens.knownRevoked(agent.token.mark.id, agent.token.mark.issued_at)
  const key = agent.key_id === undefined ? false : tokens.knownRevoked(agent.key_id)
  if (token === true || mark === true || key === true) return `${what}_revoked`
  return token === undefined || mark === undefined || key === undefined ? undefined : false
}

/** The same, and where memory cannot tell, the database does. */
export async function rightsEnd(
  agent: Holder,
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'>
): Promise<RightsEnd | false> {
  const known = knownEnd(agent, tokens)
  if (known !== undefined) return known
  for (const { id, after } of revocable(agent))
    if (await tokens.revoked(id, after)) return agent.token === undefined ? 'key_revoked' : 'token_revoked'
  return false
}

/** Whatever of it may be revoked. */
function revocable({ token, key_id }: Holder): Array<{ id: string; after?: Date }> {
  return [
    ...(token === undefined ? [] : [{ id: token.jti }]),
    ...(token?.mark === undefined ? [] : [{ id: token.mark.id, after: token.mark.issued_at }]),
    ...(key_id === undefined ? [] : [{ id: key_id }])
  ]
}

export function tokenRevoked(): AppError {
  return new AppError('TOKEN_REVOKED', 'The token has been revoked.')
}

export function rightsEnded(reason: RightsEnd): AppError {
  switch (reason) {
    case 'token_revoked':
      return tokenRevoked()
    case 'token_expired':
      return new AppError('TOKEN_EXPIRED', 'The token has expired.')
    case 'key_revoked':
      return new AppError('INVALID_API_KEY', 'The API key has been revoked.', {
        suggestions: ['Ask whoever gave you the key for a new one']
      })
    case 'key_expired':
      return new AppError('INVALID_API_KEY', 'The API key has expired.', {
        suggestions: ['Ask whoever gave you the key for a new one']
      })
  }
}
