import type { FastifyInstance } from 'fastify'
import { AppError } from '../../kernel/errors.js'
import type { IsStoredAgent } from '../../kernel/names.js'
import { type Claims, TOKEN_MAX, type Tokens } from '../verifiers.js'
import type { Revocations } from '../store/revocations.js'
import { createOutsideTokens, type OutsideRules } from './outside-tokens.js'
import { registerOwnTokens } from './own-tokens.js'

/** Most cached tokens of this server: about 10 MB. */
const OWN_CACHE_MAX = 10_000
/** Most cached tokens of the outside issuer, which are longer. */
const OUTSIDE_CACHE_MAX = 2000
/** After this time an outside token is verified again, in case its issuer has withdrawn the key. */
const OUTSIDE_CACHE_MS = 10 * 60_000

export interface TokensOptions {
  /** The first signs, all verify. */
  secrets: readonly string[]
  /** Lifetime of this server's tokens in seconds. */
  expires_in: number
  /** Whether to accept tokens that were created with a shared API key. */
  shared_keys: boolean
  revocations: Revocations
  /** The database's clock, in milliseconds since 1970. */
  now: () => number
  outside: OutsideRules
  isStoredAgent: IsStoredAgent
}

/**
 * Verifies tokens of this server and of the outside issuer. The claim `iss` decides which rules apply.
 */
export async function registerTokens(
  app: FastifyInstance,
  { secrets, expires_in, shared_keys, revocations, now, outside: rules, isStoredAgent }: TokensOptions
): Promise<Tokens> {
  const own = await registerOwnTokens(app, secrets, expires_in, shared_keys, now)
  const { oidc_issuer: issuer } = rules
  const outside =
    issuer === undefined
      ? undefined
      : createOutsideTokens(issuer, rules, now, isStoredAgent, (state, why) => {
          if (state === 'reached') app.log.info({ issuer }, 'fetched the keys of the token issuer')
          else app.log.warn({ issuer, why }, 'cannot fetch the keys of the token issuer')
        })
  const ownVerified = createTokenCache<Claims>(OWN_CACHE_MAX, now)
  const outsideVerified = createTokenCache<Claims>(OUTSIDE_CACHE_MAX, now)
  // Not awaited: this server's own tokens do not need the issuer.
  if (outside !== undefined)
    app.addHook('onReady', async () => {
      outside.warm().catch(() => {})
    })

  async function verifyOutside(token: string, verifier: NonNullable<typeof outside>): Promise<Claims> {
    const claims = await verifier.verify(token)
    outsideVerified.set(token, claims, Math.min(claims.expires_at.getTime(), now() + OUTSIDE_CACHE_MS))
    return claims
  }

  return {
    expires_in,
    issuer,
    now,
    sign: own.sign,
    verify(token): Claims | Promise<Claims> {
      const cached = ownVerified.get(token) ?? outsideVerified.get(token)
      if (cached !== undefined) return cached
      if (token.length > TOKEN_MAX)
        throw new AppError('INVALID_TOKEN', 'The token is longer than any that this server takes.')
      if (outside !== undefined && decodePart(token, 1).iss === issuer) return verifyOutside(token, outside)
      const { kid } = decodePart(token, 0)
      // A kid that is not a string never matches.
      const claims = own.verify(token, kid === undefined || typeof kid === 'string' ? kid : '')
      ownVerified.set(token, claims, claims.expires_at.getTime())
      return claims
    },
    revoked: revocations.has,
    knownRevoked: revocations.known
  }
}

/** Decodes a part of an unverified token. Use it only to choose how to verify the token. */
function decodePart(token: string, which: 0 | 1): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(token.split('.', 2)[which] ?? '', 'base64url').toString())) as Record<
      string,
      unknown
    >
  } catch {
    return {}
  }
}

/**
 * A cache of verified tokens by their full text. It does not know revocations; ask `Revocations` for these.
 * @param max_entries beyond it, the oldest entry is removed
 */
function createTokenCache<T>(max_entries: number, now: () => number) {
  const entries = new Map<string, { value: T; until: number }>()
  return {
    get(token: string): T | undefined {
      const entry = entries.get(token)
      if (entry === undefined) return undefined
      if (entry.until > now()) return entry.value
      entries.delete(token)
      return undefined
    },
    /** @param until milliseconds since 1970 */
    set(token: string, value: T, until: number): void {
      if (entries.size >= max_entries) entries.delete(entries.keys().next().value as string)
      entries.set(token, { value, until })
    }
  }
}
