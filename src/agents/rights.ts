import { createHash } from 'node:crypto'
import type { Agent } from '../kernel/agent.js'
import { AppError } from '../kernel/errors.js'
import { composed } from '../kernel/text.js'
import type { Tokens } from './verifiers.js'

/** Why a caller has lost its rights: its token has ended or, if it has none, its API key. */
export type RightsEnd = 'token_revoked' | 'token_expired' | 'key_revoked' | 'key_expired'

type Holder = Pick<Agent, 'token' | 'key_id' | 'until'>

/**
 * The id of an agent's marker among the revoked tokens: one for all spellings of its name. A digest, so that it does
 * not reveal an erased name.
 */
export function revocationMarkerOf(workspace: string, agent_id: string): string {
  return `agent:${createHash('sha256')
    .update(JSON.stringify([workspace, composed(agent_id)]))
    .digest('base64url')}`
}

/** Whether the rights have ended, by the data in memory alone; undefined: memory is out of date. */
export function knownEnd(
  agent: Holder,
  tokens: Pick<Tokens, 'knownRevoked'> & Partial<Pick<Tokens, 'now'>>
): RightsEnd | false | undefined {
  const credential = agent.token === undefined ? 'key' : 'token'
  const expires_at = agent.token?.expires_at ?? agent.until
  if (expires_at !== undefined && expires_at.getTime() <= (tokens.now ?? Date.now)()) return `${credential}_expired`
  // This runs for each change and each listener, so it builds no array.
  const token = agent.token === undefined ? false : tokens.knownRevoked(agent.token.jti)
  const mark =
    agent.token?.mark === undefined ? false : tokens.knownRevoked(agent.token.mark.id, agent.token.mark.issued_at)
  const key = agent.key_id === undefined ? false : tokens.knownRevoked(agent.key_id)
  if (token === true || mark === true || key === true) return `${credential}_revoked`
  return token === undefined || mark === undefined || key === undefined ? undefined : false
}

/** Like `knownEnd`, but asks the database if memory is out of date. */
export async function rightsEnd(
  agent: Holder,
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'> & Partial<Pick<Tokens, 'now'>>
): Promise<RightsEnd | false> {
  const known = knownEnd(agent, tokens)
  if (known !== undefined) return known
  const { token, key_id } = agent
  const revoked =
    (token !== undefined && (await tokens.revoked(token.jti))) ||
    (token?.mark !== undefined && (await tokens.revoked(token.mark.id, token.mark.issued_at))) ||
    (key_id !== undefined && (await tokens.revoked(key_id)))
  return revoked && (token === undefined ? 'key_revoked' : 'token_revoked')
}

export function rightsEnded(reason: RightsEnd): AppError {
  if (reason === 'token_revoked') return new AppError('TOKEN_REVOKED', 'The token has been revoked.')
  if (reason === 'token_expired') return new AppError('TOKEN_EXPIRED', 'The token has expired.')
  return new AppError('INVALID_API_KEY', `The API key has ${reason === 'key_revoked' ? 'been revoked' : 'expired'}.`, {
    suggestions: ['Ask whoever gave you the key for a new one']
  })
}
