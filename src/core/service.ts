import type { MessageWriter } from '../db/message-writer.js'
import type { Agent, Permission } from './agent.js'
import type { AuditKeys } from './audit-keys.js'
import type { Events } from './events.js'
import type { Limits } from './limits.js'
import type { Live, Places } from './live.js'
import type { Metrics } from './metrics.js'
import type { Quotas } from './quotas.js'
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
  /** Calls that wait. */
  waiters: Places
  /** Aborted when this replica is asked to stop: waits and streams end then, with an answer that makes the client come back. */
  stopping: AbortSignal
  pool: () => { total: number, idle: number, waiting: number, max: number }
}

export interface Keys {
  /** What a key allows, or undefined for a wrong one. Compares in constant time. */
  allows: (key: string) => { workspace: string, permissions: readonly Permission[] } | undefined
}

export interface Claims {
  workspace: string
  agent_id: string
  agent_type: string
  permissions: Permission[]
  jti: string
  issued_at: Date
  expires_at: Date
}

export interface Tokens {
  /** Seconds a token lives. */
  expires_in: number
  sign: (agent: Omit<Agent, 'token'>, jti: string) => { token: string, issued_at: Date, expires_at: Date }
  /** @throws AppError INVALID_TOKEN or TOKEN_EXPIRED. Says nothing about revocation. */
  verify: (token: string) => Claims
  /** Whether a verified token has been revoked, on any replica, at most 2 s ago. @throws where neither memory nor database can tell */
  revoked: (jti: string) => Promise<boolean>
  /** The same from memory alone, for those who ask often; undefined where memory cannot tell. */
  knownRevoked: (jti: string) => boolean | undefined
}
