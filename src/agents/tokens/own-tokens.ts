import { createHmac } from 'node:crypto'
import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { boundsOf, DEFAULT_WORKSPACE, PERMISSIONS } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { Claims, Tokens } from '../verifiers.js'

/** Issuer and audience of our tokens. */
const ISSUER = 'shared-context-server'
const ALGORITHM = 'HS256'
const REQUIRED = ['sub', 'agent_type', 'permissions', 'iat', 'exp', 'iss', 'aud', 'jti']

interface Payload {
  sub: string
  agent_type: string
  permissions: string[]
  workspace?: string
  sessions?: string[]
  key_id?: string
  /** Seconds, as the other times. */
  until?: number
  narrowed?: true
  operator?: true
  iat: number
  exp: number
  jti: string
}

/** The tokens that this server issues itself. */
export interface OwnTokens {
  sign: Tokens['sign']
  /** @throws AppError INVALID_TOKEN or TOKEN_EXPIRED */
  verify: (token: string, kid: string | undefined) => Claims
}

/**
 * By @fastify/jwt: HS256 and nothing else. Each secret is registered under a name of its own, since one registration
 * that chose among secrets could verify only asynchronously.
 * @param secrets the first signs, all verify, so that a secret can be replaced while tokens of the one before it live
 * @param life seconds
 * @param shared_keys whether tokens are taken that were made with a shared key
 */
export async function registerOwnTokens(
  app: FastifyInstance,
  secrets: readonly string[],
  life: number,
  shared_keys: boolean
): Promise<OwnTokens> {
  const byKid = new Map<string, JWT>()
  for (const secret of secrets) {
    const kid = kidOf(secret)
    if (byKid.has(kid)) continue
    await app.register(jwt, {
      namespace: kid,
      secret,
      sign: { algorithm: ALGORITHM, iss: ISSUER, aud: ISSUER, kid },
      verify: { algorithms: [ALGORITHM], allowedIss: ISSUER, allowedAud: ISSUER, requiredClaims: REQUIRED }
    })
    byKid.set(kid, Reflect.get(app.jwt, kid) as JWT)
  }
  const all = [...byKid.values()]
  const [signer] = all as [JWT]

  function payloadOf(token: string, kid: string | undefined): Payload {
    // A token without one is from before there were several secrets.
    const candidates = kid === undefined ? all : [byKid.get(kid)].filter(one => one !== undefined)
    for (const candidate of candidates) {
      try {
        return candidate.verify<Payload>(token)
      } catch (error) {
        // The signature has been looked at first: the secret is the right one.
        if ((error as { code?: unknown }).code === 'FAST_JWT_EXPIRED')
          throw new AppError('TOKEN_EXPIRED', 'The token has expired.')
      }
    }
    throw notOurs()
  }

  return {
    sign(agent, jti) {
      const issued = Math.floor(Date.now() / 1000)
      const { workspace, agent_id: sub, agent_type, permissions } = agent
      const { until: end, ...bounds } = boundsOf(agent)
      const until = end === undefined ? undefined : Math.floor(end.getTime() / 1000)
      const exp = Math.min(issued + life, until ?? Infinity)
      const token = signer.sign({
        sub,
        agent_type,
        permissions,
        workspace,
        iat: issued,
        exp,
        jti,
        ...bounds,
        ...(until !== undefined && { until })
      })
      return { token, issued_at: new Date(issued * 1000), expires_at: new Date(exp * 1000) }
    },
    verify(token, kid) {
      const payload = payloadOf(token, kid)
      const { sub, agent_type, permissions, workspace, iat, exp, jti, sessions, key_id, until, narrowed, operator } =
        payload
      if (
        typeof sub !== 'string' ||
        typeof agent_type !== 'string' ||
        typeof jti !== 'string' ||
        !Array.isArray(permissions) ||
        !isBounds(payload)
      )
        throw notOurs()
      if (!shared_keys && key_id === undefined) throw notOurs()
      return {
        workspace: workspace ?? DEFAULT_WORKSPACE,
        agent_id: sub,
        agent_type,
        permissions: PERMISSIONS.filter(permission => permissions.includes(permission)),
        jti,
        issued_at: new Date(iat * 1000),
        expires_at: new Date(exp * 1000),
        ...boundsOf({
          sessions,
          key_id,
          narrowed,
          operator,
          ...(until !== undefined && { until: new Date(until * 1000) })
        })
      }
    }
  }
}

/**
 * Names a secret in the header of its tokens, and tells nothing of it: eight bytes of a MAC over what no token's text
 * can be.
 */
function kidOf(secret: string): string {
  return createHmac('sha256', secret).update('kid').digest().subarray(0, 8).toString('base64url')
}

/**
 * What a token is held within must be read as it was meant, or the token not be taken: to leave out a bound would widen
 * it.
 */
function isBounds({ sessions, key_id, until, narrowed, operator }: Payload): boolean {
  return (
    (sessions === undefined || (Array.isArray(sessions) && sessions.every(id => typeof id === 'string'))) &&
    (key_id === undefined || typeof key_id === 'string') &&
    (until === undefined || Number.isSafeInteger(until)) &&
    (narrowed === undefined || narrowed === true) &&
    (operator === undefined || operator === true)
  )
}

function notOurs(): AppError {
  return new AppError('INVALID_TOKEN', 'The token is not one that this server issued.')
}
