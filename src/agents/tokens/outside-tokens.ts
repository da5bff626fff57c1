import { createHash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose'
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
import { characters, hasControlCharacters } from '../../kernel/text.js'
import { createIssuerKeys } from './issuer-keys.js'

/**
 * Signatures that only the issuer can make. With HS256, whoever knows a public key could sign with it as the secret.
 */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Access tokens, also by RFC 9068; not logout tokens and other kinds that an issuer signs with the same keys. */
const TYPES = [undefined, 'jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']
/** Seconds by which the issuer's clock may be ahead of ours. */
const AHEAD_SECONDS = 30
/**
 * The type of agents whose token names none: one of its own, for what is agent_only must not come from a missing claim.
 */
const AGENT_TYPE = 'oidc'
const WORKSPACE = /^[a-z0-9][a-z0-9._-]{0,62}$/

export interface OutsideRules {
  /** Undefined: no outside tokens are taken. */
  oidc_issuer: string | undefined
  /** A token must be for one of these. */
  oidc_audience: readonly string[]
  oidc_agent_id_claim: string
  oidc_agent_type_claim: string
  oidc_permissions_claim: string
  /** What of the permissions claim means which permission. */
  oidc_permissions_map: ReadonlyMap<string, Permission>
  oidc_workspace_claim: string
}

/** The tokens of one outside issuer. */
export interface OutsideTokens {
  /**
   * @throws AppError INVALID_TOKEN, TOKEN_EXPIRED, or SERVICE_UNAVAILABLE where the issuer's keys are not known and
   * cannot be had
   */
  verify: (token: string) => Promise<Claims>
  warm: () => Promise<void>
}

type Log = (state: 'reached' | 'unreachable', why: string) => void

export function createOutsideTokens(issuer: string, rules: OutsideRules, log: Log): OutsideTokens {
  const keys = createIssuerKeys(issuer, log)
  const { oidc_agent_id_claim: id_claim, oidc_permissions_map: means } = rules
  const options: JWTVerifyOptions = {
    issuer,
    audience: [...rules.oidc_audience],
    algorithms: ALGORITHMS,
    requiredClaims: ['exp'],
    clockTolerance: AHEAD_SECONDS
  }

  async function payloadOf(token: string): Promise<JWTPayload> {
    try {
      const { payload, protectedHeader } = await verified(token)
      if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) throw refused('The token is not an access token.')
      return payload
    } catch (error) {
      if (error instanceof AppError) throw error
      if (error instanceof errors.JWTExpired) throw expired()
      const claim = error instanceof errors.JWTClaimValidationFailed ? error.claim : undefined
      throw refused(
        claim === 'aud'
          ? 'The token is for another server: its audience is not this one.'
          : claim === 'nbf'
            ? 'The token is not valid yet.'
            : 'The token cannot be verified with the keys of its issuer.'
      )
    }
  }

  async function verified(token: string) {
    try {
      return await jwtVerify(token, keys.get, options)
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      // Without a kid any of the issuer's keys may have signed it.
      for await (const key of error) {
        try {
          return await jwtVerify(token, key, options)
        } catch (error) {
          if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
        }
      }
      throw new errors.JWSSignatureVerificationFailed()
    }
  }

  return {
    warm: keys.warm,
    async verify(token) {
      const payload = await payloadOf(token)
      const expires_at = new Date((payload.exp as number) * 1000)
      if (!(expires_at.getTime() > Date.now())) throw expired()
      // Of no use to a thief where the other end checks the key it is bound to, which this one does not.
      if (payload.cnf !== undefined)
        throw refused('The token is bound to a key of its holder, which this server cannot check.')
      const agent_id = name(payload, id_claim, AGENT_ID_MAX)
      if (agent_id === undefined)
        throw refused(
          `The token does not name its agent: its ${id_claim} must be a text of 1 to ${AGENT_ID_MAX} characters.`
        )
      const issued_at = typeof payload.iat === 'number' ? new Date(payload.iat * 1000) : undefined
      // One from the future would be younger than any mark.
      if (issued_at !== undefined && !(issued_at.getTime() <= Date.now() + AHEAD_SECONDS * 1000))
        throw refused('The token says that it was issued later than now.')
      const workspace = workspaceOf(payload, rules)
      return {
        workspace,
        agent_id,
        agent_type: name(payload, rules.oidc_agent_type_claim, AGENT_TYPE_MAX) ?? AGENT_TYPE,
        permissions: grant(
          valuesOf(claimOf(payload, rules.oidc_permissions_claim)).map(value => means.get(value) ?? ''),
          PERMISSIONS
        ),
        jti: idOf(token, payload, issuer),
        issued_at: issued_at ?? new Date(),
        expires_at,
        issuer,
        // One that does not say when it was issued may be older than any mark.
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

/** Scopes are words in one text, roles a list of texts. */
function valuesOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(/\s+/)
  return Array.isArray(claim) ? claim.filter(value => typeof value === 'string') : []
}

/**
 * @returns undefined where there is none. @throws AppError INVALID_TOKEN where there is and it is no name, since
 * another one must not stand in for it
 */
function name(payload: JWTPayload, claim: string, most: number): string | undefined {
  const value = claimOf(payload, claim)
  if (value === undefined || value === null) return undefined
  if (
    typeof value !== 'string' ||
    value.trim() === '' ||
    value !== value.trim() ||
    characters(value) > most ||
    hasControlCharacters(value)
  ) {
    throw refused(
      `The token's ${claim} must be a text of 1 to ${most} characters, without control characters and without space around it.`
    )
  }
  return value
}

function workspaceOf(payload: JWTPayload, { oidc_workspace_claim: workspace_claim }: OutsideRules): string {
  const value = claimOf(payload, workspace_claim)
  if (value === undefined || value === null) return DEFAULT_WORKSPACE
  if (typeof value !== 'string' || !WORKSPACE.test(value))
    throw refused(
      `The token's ${workspace_claim} is not the name of a workspace: 1 to 63 small letters, digits, dots, dashes and underscores, with a letter or digit first.`
    )
  return value
}

/**
 * By what a token is revoked: never what could be the id of one of ours. Without a jti, a digest of what is signed: the
 * signature itself could be written in another way.
 */
function idOf(token: string, { jti }: JWTPayload, issuer: string): string {
  const named = typeof jti === 'string' && jti !== ''
  return `oidc:${createHash('sha256')
    .update(JSON.stringify(named ? [issuer, 'jti', jti] : [issuer, 'token', token.slice(0, token.lastIndexOf('.'))]))
    .digest('base64url')}`
}

function expired(): AppError {
  return new AppError('TOKEN_EXPIRED', 'The token has expired.', {
    suggestions: ['Get a new token from the issuer that gave you this one']
  })
}

function refused(message: string): AppError {
  return new AppError('INVALID_TOKEN', message, {
    suggestions: [
      'Get a new token for this server from the issuer that gave you this one',
      'Or call authenticate_agent with an API key and send its token as Authorization: Bearer <token>'
    ]
  })
}
