import type { Agent } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { bearer } from './identify.js'
import { rightsEnd, rightsEnded } from './rights.js'
import { Allowed } from '../kernel/schema.js'
import { Text } from '../kernel/shapes.js'
import { type Claims, TOKEN_MAX, type Verifiers } from './verifiers.js'

export function TokenText(description: string) {
  return Text(0, TOKEN_MAX, description, { [Allowed]: `a token, at most ${TOKEN_MAX} characters` })
}

/**
 * Like `givenToken`, for tools that derive a new token from it. It refuses tokens of an outside issuer, because a
 * derived token could outlive a revocation by that issuer.
 * @throws AppError as `givenToken`, and INVALID_TOKEN for an outside token
 */
export async function givenOwnToken(
  argument: string | undefined,
  agent: Agent | null,
  caller: Caller,
  { tokens }: Pick<Verifiers, 'tokens'>
): Promise<Claims> {
  const claims = await givenToken(argument, agent, caller, { tokens })
  if (claims.issuer === undefined) return claims
  throw new AppError(
    'INVALID_TOKEN',
    'This tool accepts only tokens that this server issued. The given token is from an outside issuer.',
    {
      suggestions: ['Get another token from the issuer that gave you this one']
    }
  )
}

/**
 * The valid token that a tool call refers to: its argument, else the token that the caller authenticated with (header,
 * auth_token, or the MCP session's).
 * @throws AppError AUTHENTICATION_REQUIRED if there is none, INVALID_TOKEN, TOKEN_EXPIRED or TOKEN_REVOKED
 */
export async function givenToken(
  argument: string | undefined,
  agent: Agent | null,
  caller: Caller,
  { tokens }: Pick<Verifiers, 'tokens'>
): Promise<Claims> {
  // Without a token of its own, the caller has sent an API key in the header.
  const { authorization, auth_token } = agent?.token === undefined ? {} : caller.credentials
  const text = argument ?? (authorization !== undefined ? bearer(authorization) : auth_token)
  if (text !== undefined) {
    const claims = await tokens.verify(text)
    const reason = await rightsEnd({ ...claims, token: claims }, tokens)
    if (reason !== false) throw rightsEnded(reason)
    return claims
  }
  if (agent?.token === undefined) {
    throw new AppError('AUTHENTICATION_REQUIRED', 'This needs a token, and none was given.', {
      suggestions: [
        'Send Authorization: Bearer <token>, or pass the token as an argument',
        'Call authenticate_agent for a token'
      ]
    })
  }
  const { jti, expires_at } = agent.token
  const { token: _, ...identity } = agent
  return { ...identity, jti, expires_at, issued_at: new Date(tokens.now()) }
}
