import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'

const ISSUER = 'shared-context-server'

/** The service's own check of tokens, by @fastify/jwt with its cache. */
export async function registerTokens(app: FastifyInstance): Promise<void> {
  await app.register(jwt, {
    secret: process.env.JWT_SECRET_KEY as string,
    verify: {
      algorithms: ['HS256'],
      allowedIss: ISSUER,
      allowedAud: ISSUER,
      requiredClaims: ['sub', 'agent_type', 'permissions', 'iat', 'exp', 'iss', 'aud', 'jti'],
      cache: 10_000
    }
  })
}
