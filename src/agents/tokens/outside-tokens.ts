import { createHash } from 'node:crypto'
import { decodeProtectedHeader, errors, type JWK, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose'
import {
  AGENT_ID_MAX,
  AGENT_TYPE_MAX,
  DEFAULT_WORKSPACE,
  grant,
  type Permission,
  PERMISSIONS
} from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { revocationMarkerOf } from '../rights.js'
import type { Claims } from '../verifiers.js'
import { knownName, type IsStoredAgent } from '../../kernel/names.js'
import { characters, hasControlCharacters, hasUnseenCharacters } from '../../kernel/text.js'
import { createIssuerKeys } from './issuer-keys.js'

/**
 * Asymmetric algorithms only. With HS256, an attacker could sign with the issuer's public key as the secret.
 */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Types of access tokens, including RFC 9068; not logout tokens and others that an issuer signs with the same keys. */
const TOKEN_TYPES = [undefined, 'jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']
/** Seconds by which the issuer's clock may be ahead of this server's. */
const CLOCK_SKEW_SECONDS = 30
/**
 * The agent_type for tokens without that claim. It is a separate type, because a missing claim must not give access to
 * agent_only messages of another type.
 */
const DEFAULT_AGENT_TYPE = 'oidc'
const WORKSPACE = /^[a-z0-9][a-z0-9._-]{0,62}$/

export interface OutsideRules {
  /** Undefined: outside tokens are refused. */
  oidc_issuer: string | undefined
  /** A token must be for one of these. */
  oidc_audience: readonly string[]
  oidc_agent_id_claim: string
  oidc_agent_type_claim: string
  oidc_permissions_claim: string
  /** Which value of the permissions claim grants which permission. */
  oidc_permissions_map: ReadonlyMap<string, Permission>
  oidc_workspace_claim: string
}

/** The tokens of one outside issuer. */
export interface OutsideTokens {
  /**
   * @throws AppError INVALID_TOKEN, TOKEN_EXPIRED, or SERVICE_UNAVAILABLE if the issuer's keys cannot be fetched
   */
  verify: (token: string) => Promise<Claims>
  warm: () => Promise<void>
}

type Log = (state: 'reached' | 'unreachable', why: string) => void

/** Clients name the same server with a final slash and without one. */
function withAndWithoutSlash(audience: string): string[] {
  return [audience, audience.endsWith('/') ? audience.slice(0, -1) : `${audience}/`]
}

export function createOutsideTokens(
  issuer: string,
  rules: OutsideRules,
  now: () => number,
  isStoredAgent: IsStoredAgent,
  log: Log
): OutsideTokens {
  const keys = createIssuerKeys(issuer, log)
  const { oidc_agent_id_claim: id_claim, oidc_permissions_map: permissionMap } = rules
  const options: JWTVerifyOptions = {
    issuer,
    audience: rules.oidc_audience.flatMap(withAndWithoutSlash),
    algorithms: ALGORITHMS,
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_SKEW_SECONDS
  }

  async function payloadOf(token: string): Promise<JWTPayload> {
    try {
      const { payload, protectedHeader } = await verifySignature(token)
      if (!TOKEN_TYPES.includes(protectedHeader.typ?.toLowerCase()))
        throw invalidToken('The token is not an access token.')
      return payload
    } catch (error) {
      if (error instanceof AppError) throw error
      if (error instanceof errors.JWTExpired) throw tokenExpired()
      const claim = error instanceof errors.JWTClaimValidationFailed ? error.claim : undefined
      throw invalidToken(
        claim === 'aud'
          ? 'The token is for another server: its audience is not this one.'
          : claim === 'nbf'
            ? 'The token is not valid yet.'
            : 'The token cannot be verified with the keys of its issuer.'
      )
    }
  }

  /** Of several keys that fit, any may have signed the token: issuers reuse key ids, and some name none. */
  async function verifySignature(token: string) {
    const header = decodeProtectedHeader(token)
    if (!ALGORITHMS.includes(header.alg ?? '')) throw new errors.JOSEAlgNotAllowed()
    const verified = await verifyWithAny(token, await keys.candidates(header))
    if (verified !== undefined) return verified
    // The issuer may have put a new key in the place of one that is known.
    const again = (await keys.reload()) ? await verifyWithAny(token, await keys.candidates(header)) : undefined
    if (again === undefined) throw new errors.JWSSignatureVerificationFailed()
    return again
  }

  /** @throws as jose does, once a key has verified the signature */
  async function verifyWithAny(token: string, candidates: JWK[]) {
    for (const key of candidates) {
      try {
        return await jwtVerify(token, key, { ...options, currentDate: new Date(now()) })
      } catch (error) {
        if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) throw error
        // Another key signed it, or this is not a key that can be used.
      }
    }
    return undefined
  }

  return {
    async warm() {
      await keys.reload()
    },
    async verify(token) {
      const payload = await payloadOf(token)
      const expires_at = new Date((payload.exp as number) * 1000)
      if (!(expires_at.getTime() > now())) throw tokenExpired()
      // A sender-constrained token relies on the server checking its key, which this server cannot do.
      if (payload.cnf !== undefined)
        throw invalidToken('The token is bound to a key of its holder, which this server cannot check.')
      const name = textClaim(payload, id_claim, AGENT_ID_MAX)
      if (name === undefined)
        throw invalidToken(
          `The token does not name its agent: its ${id_claim} must be a text of 1 to ${AGENT_ID_MAX} characters.`
        )
      const issued_at = typeof payload.iat === 'number' ? new Date(payload.iat * 1000) : undefined
      // A token from the future would be newer than any revocation marker.
      if (issued_at !== undefined && !(issued_at.getTime() <= now() + CLOCK_SKEW_SECONDS * 1000))
        throw invalidToken('The token says that it was issued later than now.')
      const workspace = workspaceOf(payload, rules)
      const agent_id = await knownName(workspace, name, isStoredAgent)
      if (hasUnseenCharacters(agent_id) && !(await isStoredAgent(workspace, agent_id)))
        throw invalidToken(`The token's ${id_claim} holds characters that are not seen.`)
      return {
        workspace,
        agent_id,
        agent_type: textClaim(payload, rules.oidc_agent_type_claim, AGENT_TYPE_MAX) ?? DEFAULT_AGENT_TYPE,
        permissions: grant(
          valuesOf(claimOf(payload, rules.oidc_permissions_claim)).map(value => permissionMap.get(value) ?? ''),
          PERMISSIONS
        ),
        jti: idOf(token, payload, issuer),
        issued_at: issued_at ?? new Date(now()),
        expires_at,
        issuer,
        // A token without a time of issue counts as older than any revocation marker.
        mark: { id: revocationMarkerOf(workspace, agent_id), issued_at: issued_at ?? new Date(0) }
      }
    }
  }
}

/** A claim by its name, else by its path: Keycloak has `realm_access.roles`, Auth0 `https://example.com/roles`. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  let value: unknown = payload
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

/** The values of a claim: scopes are one string of words, roles are a list of strings. */
function valuesOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(/\s+/)
  return Array.isArray(claim) ? claim.filter(value => typeof value === 'string') : []
}

/**
 * A claim that holds a name.
 * @returns undefined if the token does not have the claim
 * @throws AppError INVALID_TOKEN if the claim is not a valid name: a default must not replace it
 */
function textClaim(payload: JWTPayload, claim: string, max_length: number): string | undefined {
  const value = claimOf(payload, claim)
  if (value === undefined || value === null) return undefined
  if (
    typeof value !== 'string' ||
    value.trim() === '' ||
    value !== value.trim() ||
    characters(value) > max_length ||
    hasControlCharacters(value)
  ) {
    throw invalidToken(
      `The token's ${claim} must be a text of 1 to ${max_length} characters, ` +
        'without control characters and without space around it.'
    )
  }
  return value
}

function workspaceOf(payload: JWTPayload, { oidc_workspace_claim: workspace_claim }: OutsideRules): string {
  const value = claimOf(payload, workspace_claim)
  if (value === undefined || value === null) return DEFAULT_WORKSPACE
  if (typeof value !== 'string' || !WORKSPACE.test(value))
    throw invalidToken(
      `The token's ${workspace_claim} is not the name of a workspace: 1 to 63 small letters, digits, dots, ` +
        'dashes and underscores, with a letter or digit first.'
    )
  return value
}

/**
 * The id by which a token is revoked; the prefix keeps it apart from ids of this server's tokens. Without a jti it is a
 * digest of the signed part, because a signature can be encoded in several ways.
 */
function idOf(token: string, { jti }: JWTPayload, issuer: string): string {
  const named = typeof jti === 'string' && jti !== ''
  return `oidc:${createHash('sha256')
    .update(JSON.stringify(named ? [issuer, 'jti', jti] : [issuer, 'token', token.slice(0, token.lastIndexOf('.'))]))
    .digest('base64url')}`
}

function tokenExpired(): AppError {
  return new AppError('TOKEN_EXPIRED', 'The token has expired.', {
    suggestions: ['Get a new token from the issuer that gave you this one']
  })
}

function invalidToken(message: string): AppError {
  return new AppError('INVALID_TOKEN', message, {
    suggestions: [
      'Get a new token for this server from the issuer that gave you this one',
      'Or call authenticate_agent with an API key and send its token as Authorization: Bearer <token>'
    ]
  })
}
