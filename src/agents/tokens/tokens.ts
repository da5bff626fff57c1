import type { FastifyInstance } from 'fastify'
import { AppError } from '../../kernel/errors.js'
import type { Claims, Tokens } from '../verifiers.js'
import type { Revocations } from '../store/revocations.js'
import { createOutsideTokens, type OutsideRules } from './outside-tokens.js'
import { registerOwnTokens } from './own-tokens.js'
import { remember } from './verified-tokens.js'

/** Tokens of ours remembered: about 10 MB. */
const OWN_MAX = 10_000
/** Those of outside issuers are longer. */
const OUTSIDE_MAX = 2000
/** An outside token is verified again after this, so that it does not outlive a key its issuer has withdrawn. */
const OUTSIDE_MS = 10 * 60_000
/** Characters. Headers are bounded by HTTP; this is for arguments. */
const TOKEN_MAX = 16_384

export interface TokensOptions {
  /** The first signs, all verify. */
  secrets: readonly string[]
  /** Seconds a token of ours lives. */
  expires_in: number
  /** Whether tokens are taken that were made with a shared key. */
  shared_keys: boolean
  revocations: Revocations
  outside: OutsideRules
}

/**
 * Tokens of ours, and those of an outside issuer: which one a token is says its `iss`, and each is verified by its own
 * rules alone.
 */
export async function registerTokens(
  app: FastifyInstance,
  { secrets, expires_in, shared_keys, revocations, outside: rules }: TokensOptions
): Promise<Tokens> {
  const own = await registerOwnTokens(app, secrets, expires_in, shared_keys)
  const { oidc_issuer: issuer } = rules
  const outside =
    issuer === undefined
      ? undefined
      : createOutsideTokens(issuer, rules, (state, why) => {
          if (state === 'reached') app.log.info({ issuer }, 'keys of the token issuer read')
          else app.log.warn({ issuer, why }, 'keys of the token issuer not read')
        })
  const ownVerified = remember<Claims>(OWN_MAX)
  const outsideVerified = remember<Claims>(OUTSIDE_MAX)
  // Not awaited: our own tokens do not need the issuer.
  if (outside !== undefined)
    app.addHook('onReady', async () => {
      outside.warm().catch(() => {})
    })

  async function verifyOutside(token: string, by: NonNullable<typeof outside>): Promise<Claims> {
    const claims = await by.verify(token)
    outsideVerified.set(token, claims, Math.min(claims.expires_at.getTime(), Date.now() + OUTSIDE_MS))
    return claims
  }

  return {
    expires_in,
    issuer,
    sign: own.sign,
    verify(token): Claims | Promise<Claims> {
      const known = ownVerified.get(token) ?? outsideVerified.get(token)
      if (known !== undefined) return known
      if (token.length > TOKEN_MAX)
        throw new AppError('INVALID_TOKEN', 'The token is longer than any that this server takes.')
      if (outside !== undefined && part(token, 1).iss === issuer) return verifyOutside(token, outside)
      const { kid } = part(token, 0)
      // A kid of another type is none of ours.
      const claims = own.verify(token, kid === undefined || typeof kid === 'string' ? kid : '')
      ownVerified.set(token, claims, claims.expires_at.getTime())
      return claims
    },
    revoked: revocations.has,
    knownRevoked: revocations.known
  }
}

/** What a token says of itself before anybody has verified it: good for choosing who verifies, and for nothing else. */
function part(token: string, which: 0 | 1): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(token.split('.', 2)[which] ?? '', 'base64url').toString())) as Record<
      string,
      unknown
    >
  } catch {
    return {}
  }
}
