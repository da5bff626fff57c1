import { BODY_MEMORY_RATIO, combinationErrors } from './combinations.js'
import { LOOPBACK_HOSTS, type Permission, type Reader } from './values.js'
import { definitions } from './variables.js'

export { type Variable } from './variable.js'
export { variables } from './variables.js'

export interface Config {
  host: string
  port: number
  /** Undefined: the embedded PostgreSQL. */
  database_url: string | undefined
  /** The same database with the login that owns the tables, if the service uses another login. */
  migration_database_url: string | undefined
  data_dir: string | undefined
  api_key: string | undefined
  admin_api_key: string | undefined
  /** Whether the service accepts the two keys above. */
  shared_api_key: boolean
  /** The first signs, all verify. */
  jwt_secret_key: string[] | undefined
  /** The first signs, all verify. Undefined: the audit log has no chain. */
  audit_hmac_keys: string[] | undefined
  audit_head_file: string | undefined
  /** Seconds. */
  jwt_expires_in: number
  /** Undefined: the service accepts only its own tokens. */
  oidc_issuer: string | undefined
  oidc_audience: string[]
  oidc_agent_id_claim: string
  oidc_agent_type_claim: string
  oidc_permissions_claim: string
  oidc_permissions_map: ReadonlyMap<string, Permission>
  oidc_workspace_claim: string
  /** The origin by which clients reach the service. Undefined: each request's Host header gives it. */
  public_url: string | undefined
  auth_enabled: boolean
  cors_origins: string[]
  /** Undefined: every Host header is accepted. */
  allowed_hosts: string[] | undefined
  trust_proxy: boolean | string[] | number
  metrics_port: number | undefined
  database_pool_max: number
  /** Bytes. */
  body_limit: number
  /** Bytes, for all request bodies that one process receives or handles at a time. */
  body_memory: number
  log_level: string
  request_timeout_ms: number
  statement_timeout_ms: number
  database_connect_timeout_ms: number
  max_in_flight: number
  waiters_max: number
  waiters_per_agent_max: number
  streams_max: number
  streams_per_agent_max: number
  connections_max: number
  connections_per_address_max: number
  /** Calls per minute; 0: no limit. */
  rate_limit_agent_per_minute: number
  rate_limit_key_per_minute: number
  rate_limit_address_per_minute: number
  rate_limit_failures_per_minute: number
  rate_limit_initialize_per_minute: number
  /** 0: no limit. */
  quota_sessions: number
  quota_session_messages: number
  quota_session_bytes: number
  quota_memory_entries: number
  quota_memory_bytes: number
  /** 0: unlimited. */
  retention_days: number
  /** 0: unlimited. */
  audit_retention_days: number
  migrate_on_start: boolean
  shutdown_delay_ms: number
  shutdown_timeout_ms: number
  agent_id: string | undefined
  agent_type: string | undefined
  mcp_output_schemas: boolean
  production: boolean
}

/** The message is for the operator: one sentence, then each error of the configuration on a line of its own. */
export class ConfigError extends Error {}

const BODY_MEMORY_MIN = 64 * 1024 ** 2

/**
 * Reads the configuration from environment variables and checks it. An empty value counts as unset.
 * @throws ConfigError that lists every error at once
 */
export function loadConfig(env: Record<string, string | undefined>): Readonly<Config> {
  const errors: string[] = []
  const invalid = new Set<string>()
  const config: Partial<Record<keyof Config, unknown>> = { production: env.NODE_ENV === 'production' }
  for (const [name, { read, ...variable }] of Object.entries(definitions)) {
    const text =
      env[variable.name]?.trim() ||
      (variable.alias !== undefined ? env[variable.alias]?.trim() : undefined) ||
      variable.default
    try {
      config[name as keyof Config] = (read as Reader<unknown>)(text || undefined)
    } catch (error) {
      errors.push(`${variable.name} ${(error as Error).message}`)
      invalid.add(variable.name)
    }
  }
  // A parsed body takes at most three times its size, which fits into the share of one address.
  config.body_memory ??= Math.max(BODY_MEMORY_MIN, BODY_MEMORY_RATIO * (config.body_limit as number))
  errors.push(...combinationErrors(config as Config, invalid))
  if (errors.length > 0)
    throw new ConfigError(
      [
        `The configuration has ${errors.length === 1 ? 'a fault' : `${errors.length} faults`}:`,
        ...errors.map(error => `  - ${error}`)
      ].join('\n')
    )
  const { host, allowed_hosts, oidc_audience, public_url } = config as Partial<Config> & { host: string }
  config.oidc_audience = oidc_audience ?? (public_url !== undefined ? [`${public_url}/mcp`] : [])
  config.allowed_hosts = allowed_hosts?.includes('*')
    ? undefined
    : (allowed_hosts ??
      (isLoopback(host) ? [...new Set([...LOOPBACK_HOSTS, host.includes(':') ? '[::1]' : host])] : undefined))
  return Object.freeze(config as Config)
}

/** Whether the host is a loopback name or address, which only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
