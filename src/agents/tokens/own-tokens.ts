import { createHmac } from 'node:crypto'
import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { boundsOf, DEFAULT_WORKSPACE, PERMISSIONS } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { rightsEnded } from '../rights.js'
import type { Claims, Tokens } from '../verifiers.js'

/** Issuer and audience of this server's tokens. */
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
  /** Seconds since 1970, like the other times. */
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
 * Registers @fastify/jwt with HS256 only. Each secret has its own registration, because one registration that chooses
 * among secrets can verify only asynchronously.
 * @param secrets the first signs, all verify, so that a secret can be replaced while older tokens stay valid
 * @param lifetime_s seconds
 * @param shared_keys whether to accept tokens that were created with a shared API key
 * @param now by which tokens end, in milliseconds since 1970
 */
export async function registerOwnTokens(
  app: FastifyInstance,
  secrets: readonly string[],
  lifetime_s: number,
  shared_keys: boolean,
  now: () => number
): Promise<OwnTokens> {
  const byKid = new Map<string, JWT>()
  for (const secret of secrets) {
    const kid = kidOf(secret)
    if (byKid.has(kid)) continue
    await app.register(jwt, {
      namespace: kid,
      secret,
      sign: { algorithm: ALGORITHM, iss: ISSUER, aud: ISSUER, kid },
      verify: {
        algorithms: [ALGORITHM],
        allowedIss: ISSUER,
        allowedAud: ISSUER,
        requiredClaims: REQUIRED,
        // By another clock than this replica's: see below.
        ignoreExpiration: true
      }
    })
    byKid.set(kid, Reflect.get(app.jwt, kid) as JWT)
  }
  const verifiers = [...byKid.values()]
  const [signer] = verifiers as [JWT]

  function payloadOf(token: string, kid: string | undefined): Payload {
    // A token without a kid is from a release that supported only one secret.
    const candidates = kid === undefined ? verifiers : [byKid.get(kid)].filter(one => one !== undefined)
    for (const candidate of candidates) {
      try {
        return candidate.verify<Payload>(token)
      } catch {
        // Another secret may have signed it.
      }
    }
    throw invalidToken()
  }

  return {
    sign(agent, jti) {
      const issued = Math.floor(now() / 1000)
      const { workspace, agent_id: sub, agent_type, permissions } = agent
      const { until: key_expires_at, ...bounds } = boundsOf(agent)
      const until = key_expires_at === undefined ? undefined : Math.floor(key_expires_at.getTime() / 1000)
      const exp = Math.min(issued + lifetime_s, until ?? Infinity)
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
        !Number.isFinite(exp) ||
        !Array.isArray(permissions) ||
        !areBoundsValid(payload)
      )
        throw invalidToken()
      if (!shared_keys && key_id === undefined) throw invalidToken()
      if (exp * 1000 <= now()) throw rightsEnded('token_expired')
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
 * The key id of a secret for the header of its tokens. It reveals nothing: eight bytes of a MAC over a text that no
 * token can have.
 */
function kidOf(secret: string): string {
  return createHmac('sha256', secret).update('kid').digest().subarray(0, 8).toString('base64url')
}

/**
 * Whether the limits in a token are well-formed. A token with a malformed limit is refused, because ignoring the limit
 * would grant more rights.
 */
function areBoundsValid({ sessions, key_id, until, narrowed, operator }: Payload): boolean {
  return (
    (sessions === undefined || (Array.isArray(sessions) && sessions.every(id => typeof id === 'string'))) &&
    (key_id === undefined || typeof key_id === 'string') &&
    (until === undefined || Number.isSafeInteger(until)) &&
    (narrowed === undefined || narrowed === true) &&
    (operator === undefined || operator === true)
  )
}

function invalidToken(): AppError {
  return new AppError('INVALID_TOKEN', 'The token is not one that this server issued.')
}
