import type { Permission } from './values.js'

/** What the environment says, read and checked. */
export interface Config {
  host: string
  port: number
  /** Undefined: the embedded PostgreSQL. */
  database_url: string | undefined
  /** The same database with the login that owns the tables, if the service uses another login. */
  migration_database_url: string | undefined
  /** The same database without a pooler, for LISTEN. Undefined: `database_url`. */
  database_listen_url: string | undefined
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
  /** 0: no limit. */
  database_connection_max_age_ms: number
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
