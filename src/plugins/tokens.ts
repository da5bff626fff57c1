import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { type Agent, DEFAULT_WORKSPACE, PERMISSIONS } from '../core/agent.js'
import { AppError } from '../core/errors.js'
import type { Claims, Tokens } from '../core/service.js'
import type { Revocations } from '../db/revocations.js'

/** Issuer and audience of our tokens. */
const ISSUER = 'shared-context-server'
const ALGORITHM = 'HS256'
/** Tokens remembered: about 10 MB. */
const VERIFIED_MAX = 10_000

interface Payload {
  sub: string
  agent_type: string
  permissions: string[]
  workspace?: string
  iat: number
  exp: number
  jti: string
}

/** Tokens by @fastify/jwt: HS256 and nothing else. */
export async function registerTokens (app: FastifyInstance, secret: string, expires_in: number, revocations: Revocations): Promise<Tokens> {
  await app.register(jwt, {
    secret,
    sign: { algorithm: ALGORITHM, iss: ISSUER, aud: ISSUER },
    verify: { algorithms: [ALGORITHM], allowedIss: ISSUER, allowedAud: ISSUER, requiredClaims: ['sub', 'agent_type', 'permissions', 'iat', 'exp', 'iss', 'aud', 'jti'] }
  })
  /** Verified tokens for their life, by their whole text, the oldest first; what ends one early is asked of `revocations`. */
  const verified = new Map<string, Claims>()

  function check (token: string): Claims {
    let payload: Payload
    try {
      payload = app.jwt.verify<Payload>(token)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'FAST_JWT_EXPIRED') throw new AppError('TOKEN_EXPIRED', 'The token has expired.')
      throw new AppError('INVALID_TOKEN', 'The token is not one that this server issued.')
    }
    const { sub, agent_type, permissions, workspace, iat, exp, jti } = payload
    if (typeof sub !== 'string' || typeof agent_type !== 'string' || typeof jti !== 'string' || !Array.isArray(permissions)) {
      throw new AppError('INVALID_TOKEN', 'The token is not one that this server issued.')
    }
    return {
      workspace: workspace ?? DEFAULT_WORKSPACE,
      agent_id: sub,
      agent_type,
      permissions: PERMISSIONS.filter(permission => permissions.includes(permission)),
      jti,
      issued_at: new Date(iat * 1000),
      expires_at: new Date(exp * 1000)
    }
  }

  return {
    expires_in,
    sign (agent: Omit<Agent, 'token'>, jti) {
      const issued = Math.floor(Date.now() / 1000)
      const { workspace, agent_id: sub, agent_type, permissions } = agent
      const token = app.jwt.sign({ sub, agent_type, permissions, workspace, iat: issued, exp: issued + expires_in, jti })
      return { token, issued_at: new Date(issued * 1000), expires_at: new Date((issued + expires_in) * 1000) }
    },
    verify (token): Claims {
      const remembered = verified.get(token)
      if (remembered !== undefined && remembered.expires_at.getTime() > Date.now()) return remembered
      const claims = check(token)
      if (verified.size >= VERIFIED_MAX) verified.delete(verified.keys().next().value as string)
      verified.set(token, claims)
      return claims
    },
    revoked: jti => revocations.has(jti),
    knownRevoked: jti => revocations.known(jti)
  }
}
