import type { FastifyInstance } from 'fastify'
import type { Claims, Tokens } from '../core/service.js'
import type { Revocations } from '../db/revocations.js'
import { registerOwnTokens } from './own-tokens.js'

/** Tokens remembered: about 10 MB. */
const VERIFIED_MAX = 10_000

/**
 * @param secrets the first signs, all verify
 * @param shared_keys whether tokens are taken that were made with a shared key
 */
export async function registerTokens (app: FastifyInstance, secrets: readonly string[], expires_in: number, revocations: Revocations, shared_keys: boolean): Promise<Tokens> {
  const own = await registerOwnTokens(app, secrets, expires_in, shared_keys)
  /** Verified tokens for their life, by their whole text, the oldest first; what ends one early is asked of `revocations`. */
  const verified = new Map<string, Claims>()

  return {
    expires_in,
    sign: own.sign,
    verify (token): Claims {
      const remembered = verified.get(token)
      if (remembered !== undefined && remembered.expires_at.getTime() > Date.now()) return remembered
      const claims = own.verify(token, headerOf(token).kid)
      if (verified.size >= VERIFIED_MAX) verified.delete(verified.keys().next().value as string)
      verified.set(token, claims)
      return claims
    },
    revoked: id => revocations.has(id),
    knownRevoked: id => revocations.known(id)
  }
}

/** What a token says of itself before anybody has verified it: good for choosing who verifies, and for nothing else. */
function headerOf (token: string): { kid?: string } {
  try {
    const { kid } = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString()) as { kid?: unknown }
    return kid === undefined ? {} : { kid: String(kid) }
  } catch {
    return {}
  }
}
