import type { Agent } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { bearer } from './identify.js'
import { rightsEnd, rightsEnded } from './rights.js'
import { Allowed, Checked } from '../kernel/schema.js'
import type { Claims, Verifiers } from './verifiers.js'

/** Longer than any token of ours, and than those of outside issuers, which may list many groups. */
const TOKEN_MAX = 16_384

export function TokenText(description: string) {
  return Checked<string>(
    { type: 'string', maxLength: TOKEN_MAX, description },
    value => typeof value === 'string' && value.length <= TOKEN_MAX,
    { [Allowed]: `a token, at most ${TOKEN_MAX} characters` }
  )
}

/**
 * The same, for what makes a new token of it: the end of an outside token is its issuer's to decide, and one of ours
 * made from it would outlive that.
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
    'This takes only tokens that this server issued, and the one given is of an outside issuer.',
    {
      suggestions: ['Get another token from the issuer that gave you this one']
    }
  )
}

/**
 * The live token that a tool is about: the argument, else the one the caller authenticated with (header, auth_token, or
 * the MCP session's).
 * @throws AppError AUTHENTICATION_REQUIRED where there is none, INVALID_TOKEN, TOKEN_EXPIRED or TOKEN_REVOKED
 */
export async function givenToken(
  argument: string | undefined,
  agent: Agent | null,
  caller: Caller,
  { tokens }: Pick<Verifiers, 'tokens'>
): Promise<Claims> {
  const { authorization, auth_token } = caller.credentials
  const text = argument ?? (authorization !== undefined ? bearer(authorization) : auth_token)
  if (text !== undefined) {
    const claims = await tokens.verify(text)
    const ended = await rightsEnd({ ...claims, token: claims }, tokens)
    if (ended !== false) throw rightsEnded(ended)
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
  const {
    token: { jti, expires_at },
    ...rest
  } = { ...agent, token: agent.token }
  return { ...rest, jti, expires_at, issued_at: new Date() }
}
