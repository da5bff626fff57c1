import type { IsStoredAgent } from '../kernel/names.js'
import type { Agent, Bounds, Permission, RevocationMarker } from '../kernel/agent.js'
import type { ApiKey } from './api-key.js'

/** More characters than any token has, including those of outside issuers, which may list many groups. */
export const TOKEN_MAX = 16_384

/** What credentials are checked by. */
export interface Verifiers {
  /** false: a caller without credentials may read and write. */
  auth_enabled: boolean
  keys: Keys
  tokens: Tokens
  isStoredAgent: IsStoredAgent
}

export interface Keys {
  /** Whether the keys of the configuration are taken, and tokens that were made with them. */
  shared: boolean
  /**
   * What a key allows, or undefined for a wrong one. Compares in constant time.
   * @throws AppError INVALID_API_KEY where it was one, and has been revoked, at most 2 s ago, or expired
   */
  allows: (key: string) => Promise<KeyGrant | undefined>
  /** Which agents a key is for. */
  bindingOf: (key_id: string) => Promise<Pick<ApiKey, 'agent_id'> | undefined>
}

export interface KeyGrant extends Omit<Bounds, 'narrowed'> {
  workspace: string
  permissions: readonly Permission[]
  /** Whom it is for; absent for a shared key, which is for any agent. */
  binding?: Pick<ApiKey, 'agent_id' | 'agent_type'>
}

export interface Claims extends Bounds {
  workspace: string
  agent_id: string
  agent_type: string
  permissions: Permission[]
  jti: string
  /** The outside issuer of the token; absent for one of ours. */
  issuer?: string
  mark?: RevocationMarker
  issued_at: Date
  expires_at: Date
}

export interface Tokens {
  /** Seconds a token lives. */
  expires_in: number
  /** The database's clock, in milliseconds since 1970. */
  now: () => number
  /** The outside issuer whose tokens are taken too. */
  issuer: string | undefined
  /** It lives as long as tokens do, and not longer than `until`. */
  sign: (agent: Omit<Agent, 'token'>, jti: string) => { token: string; issued_at: Date; expires_at: Date }
  /**
   * At once for one of ours, or one seen before. Says nothing about revocation.
   * @throws AppError INVALID_TOKEN or TOKEN_EXPIRED; SERVICE_UNAVAILABLE where an outside issuer has to be asked and
   * cannot be
   */
  verify: (token: string) => Claims | Promise<Claims>
  /**
   * Whether a verified token or an API key, by its id, has been revoked (for a mark: after that), on any replica, at
   * most 2 s ago. @throws where neither memory nor database can tell
   */
  revoked: (id: string, after?: Date) => Promise<boolean>
  /** The same from memory alone, for those who ask often; undefined where memory cannot tell. */
  knownRevoked: (id: string, after?: Date) => boolean | undefined
}
