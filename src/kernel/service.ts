import type { MemoryReader } from '../memory/store/memory.js'
import type { MessageWriter } from '../messages/store/message-writer.js'
import type { Agent, Bounds, RevocationMarker, Permission } from './agent.js'
import type { ApiKey } from '../agents/api-key.js'
import type { AuditKeys } from '../audit/chain/keys.js'
import type { Events } from './events.js'
import type { Limits } from '../limits/rate-limits.js'
import type { Live } from '../feed/live.js'
import type { ConcurrencyLimit } from '../limits/concurrency-limit.js'
import type { Metrics } from './metrics.js'
import type { Quotas } from '../limits/quotas.js'
import type { Tool } from './tool.js'

/** What a handler may need of the running service beyond the database. */
export interface Service {
  name: string
  version: string
  /** Names this replica in answers, logs and metrics. */
  replica: string
  started_at: Date
  tools: readonly Tool[]
  auth_enabled: boolean
  /** Days that workspaces without a setting of their own keep messages and closed sessions; 0 for ever. */
  retention_days: number
  /** The same of audit rows. */
  audit_retention_days: number
  keys: Keys
  tokens: Tokens
  /** How often callers may call. */
  limits: Limits
  /** How much may be stored. */
  quotas: Quotas
  metrics: Metrics
  /** Undefined: the audit log is not chained. */
  audit_keys: AuditKeys | undefined
  /** Hints about changes, to and from every replica. The kernel publishes; see `touches` of a tool. */
  events: Events
  /** Follows sessions as they grow. */
  live: Live
  /** Writes messages, those of many calls at once. */
  messages: MessageWriter
  /** Reads memory, that of many calls at once. */
  memory: MemoryReader
  /** Calls that wait. */
  waiters: ConcurrencyLimit
  /**
   * Aborted when this replica is asked to stop: waits and streams end then, with an answer that makes the client come
   * back.
   */
  stopping: AbortSignal
  pool: () => { total: number; idle: number; waiting: number; max: number }
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
