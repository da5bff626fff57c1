/** The environment as one described list: read once, checked as a whole, told with all its faults in one message. */

import {
  databaseUrl,
  flag,
  list,
  LOOPBACK_HOSTS,
  oneOf,
  onOff,
  optional,
  origin,
  origins,
  type Permission,
  permissions,
  proxies,
  type Reader,
  secret,
  secrets,
  secureUrl,
  whole
} from './values.js'

export interface Config {
  host: string
  port: number
  /** Undefined: the embedded PostgreSQL. */
  database_url: string | undefined
  /** The owner of the tables, where the service logs in as somebody else. */
  migration_database_url: string | undefined
  data_dir: string | undefined
  api_key: string | undefined
  admin_api_key: string | undefined
  /** Whether the two above are taken. */
  shared_api_key: boolean
  /** The first signs, all verify. */
  jwt_secret_key: string[] | undefined
  /** The first signs, all verify. Undefined: the audit log is not chained. */
  audit_hmac_keys: string[] | undefined
  audit_head_file: string | undefined
  /** Seconds. */
  jwt_expires_in: number
  /** Undefined: only our own tokens are taken. */
  oidc_issuer: string | undefined
  oidc_audience: string[]
  oidc_agent_id_claim: string
  oidc_agent_type_claim: string
  oidc_permissions_claim: string
  oidc_permissions_map: ReadonlyMap<string, Permission>
  oidc_workspace_claim: string
  /** The origin by which clients reach the service; undefined: as their Host header says. */
  public_url: string | undefined
  auth_enabled: boolean
  cors_origins: string[]
  /** Undefined: not checked. */
  allowed_hosts: string[] | undefined
  trust_proxy: boolean | string[] | number
  metrics_port: number | undefined
  database_pool_max: number
  /** Bytes. */
  body_limit: number
  /** Bytes; for bodies that arrive or are handled. */
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
  /** Calls; 0 for as many as there are. */
  rate_limit_agent_per_minute: number
  rate_limit_key_per_minute: number
  rate_limit_address_per_minute: number
  rate_limit_failures_per_minute: number
  rate_limit_initialize_per_minute: number
  /** 0 for any amount. */
  quota_sessions: number
  quota_session_messages: number
  quota_session_bytes: number
  quota_memory_entries: number
  quota_memory_bytes: number
  /** 0: for ever. */
  retention_days: number
  /** 0: for ever. */
  audit_retention_days: number
  migrate_on_start: boolean
  shutdown_delay_ms: number
  shutdown_timeout_ms: number
  agent_id: string | undefined
  agent_type: string | undefined
  mcp_output_schemas: boolean
  production: boolean
}

export interface Variable {
  name: string
  alias?: string
  /** For the table in docs/configuration.md. */
  description: string
  default?: string
  /** Shown instead of a default that depends. */
  default_note?: string
  secret?: true
}

/** A sentence for the operator, with every fault of the configuration on a line of its own. */
export class ConfigError extends Error {}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const SECRET_MIN = 8
const JWT_SECRET_MIN = 32
const BODY_MEMORY = 64 * 1024 ** 2
const BODY_MEMORY_TIMES = 8

const described = {
  host: variable('HOST', 'Address to listen on; 0.0.0.0 for all', text => text, '127.0.0.1'),
  port: variable('PORT', 'Port to listen on; HTTP_PORT is accepted too', whole(0, 65535), '23456', {
    alias: 'HTTP_PORT'
  }),
  database_url: variable(
    'DATABASE_URL',
    'PostgreSQL 15 or later, as postgres://user:password@host:5432/database. Unset: the service runs its own PostgreSQL in DATA_DIR',
    databaseUrl,
    undefined,
    { secret: true, default_note: 'embedded' }
  ),
  migration_database_url: variable(
    'MIGRATION_DATABASE_URL',
    'The same database with the login that owns the tables. Migrations use it; DATABASE_URL is then a login that owns nothing',
    databaseUrl,
    undefined,
    { secret: true, default_note: '`DATABASE_URL`' }
  ),
  data_dir: variable('DATA_DIR', 'Folder of the embedded PostgreSQL and of the generated keys', optional, undefined, {
    default_note: "`./data` in a checkout, else a folder of the user's (docs/operations.md, Install)"
  }),
  api_key: variable(
    'API_KEY',
    'The shared key: grants read and write to any agent. Required with DATABASE_URL, unless SHARED_API_KEY=off',
    secret(SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL' }
  ),
  admin_api_key: variable('ADMIN_API_KEY', 'The shared key that grants admin too', secret(SECRET_MIN), undefined, {
    secret: true,
    default_note: 'generated, without DATABASE_URL; else none'
  }),
  shared_api_key: variable(
    'SHARED_API_KEY',
    'off: the service refuses API_KEY, ADMIN_API_KEY and tokens made with them, and takes only keys of create_api_key. The command `keys create` makes the first one',
    onOff,
    'on'
  ),
  jwt_secret_key: variable(
    'JWT_SECRET_KEY',
    `Secret that signs tokens, at least ${JWT_SECRET_MIN} characters, the same on every replica. Several, separated by commas or spaces: the first signs, all verify. Required with DATABASE_URL`,
    secrets(JWT_SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL' }
  ),
  audit_hmac_keys: variable(
    'AUDIT_HMAC_KEY',
    `Key of the audit chain, at least ${JWT_SECRET_MIN} characters, the same on every replica and different from every other key. Several, separated by commas: the first signs, all verify. Unset: no chain`,
    secrets(JWT_SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL; else none' }
  ),
  audit_head_file: variable(
    'AUDIT_HEAD_FILE',
    'File to which the service appends each signed head of the audit chain, for audit verify --heads. Keep a copy on another machine',
    optional,
    undefined,
    { default_note: 'only in the log' }
  ),
  jwt_expires_in: variable('JWT_EXPIRES_IN', 'Lifetime of a token, in seconds', whole(1, 31_536_000), '86400'),
  oidc_issuer: variable(
    'OIDC_ISSUER',
    'Take tokens of this issuer too, such as https://login.my-company.org. The service finds it by its OpenID Connect or OAuth metadata (docs/tokens.md)',
    secureUrl,
    undefined,
    { default_note: 'none' }
  ),
  oidc_audience: variable('OIDC_AUDIENCE', 'Accepted audiences of its tokens, separated by commas', list, undefined, {
    default_note: 'PUBLIC_URL/mcp'
  }),
  oidc_agent_id_claim: variable(
    'OIDC_AGENT_ID_CLAIM',
    'The claim that holds the agent_id; a path such as `a.b` for a claim inside a claim',
    text => text,
    'sub'
  ),
  oidc_agent_type_claim: variable(
    'OIDC_AGENT_TYPE_CLAIM',
    'The claim that holds the agent_type; an agent whose token lacks it has the type `oidc`',
    text => text,
    'agent_type'
  ),
  oidc_permissions_claim: variable(
    'OIDC_PERMISSIONS_CLAIM',
    'The claim that holds permissions: words separated by spaces, or a list of strings',
    text => text,
    'scope'
  ),
  oidc_permissions_map: variable(
    'OIDC_PERMISSIONS_MAP',
    'Which value of that claim grants which permission, as scope=permission, separated by commas. A value that is not listed grants nothing beyond read',
    permissions,
    'read=read,write=write'
  ),
  oidc_workspace_claim: variable(
    'OIDC_WORKSPACE_CLAIM',
    'The claim that holds the workspace; an agent whose token lacks it is in the workspace `default`',
    text => text,
    'workspace'
  ),
  public_url: variable(
    'PUBLIC_URL',
    'The address by which clients reach the service, such as https://context.my-company.org. The service tells it to OAuth clients',
    origin,
    undefined,
    { default_note: 'what the Host header says' }
  ),
  auth_enabled: variable(
    'AUTH_ENABLED',
    'false: callers without credentials may read and write. For a laptop; refused with NODE_ENV=production',
    flag,
    'true'
  ),
  cors_origins: variable(
    'CORS_ORIGINS',
    'Origins of web pages that may call the service, separated by commas; * for any',
    origins,
    '',
    { default_note: 'same origin only' }
  ),
  allowed_hosts: variable(
    'ALLOWED_HOSTS',
    'Host names by which the service may be called, separated by commas; * for any. Protects against DNS rebinding',
    list,
    undefined,
    { default_note: 'loopback names when HOST is loopback, else any' }
  ),
  trust_proxy: variable(
    'TRUST_PROXY',
    'Proxies whose X-Forwarded-For the service believes: true, a number of hops, or addresses separated by commas',
    proxies,
    undefined,
    { default_note: 'none' }
  ),
  metrics_port: variable('METRICS_PORT', 'Serve /metrics on this port only', whole(0, 65535, true), undefined, {
    default_note: 'on PORT'
  }),
  database_pool_max: variable(
    'DATABASE_POOL_MAX',
    'Database connections of one process for calls; each process has two more',
    whole(2, 1000),
    '8'
  ),
  body_limit: variable('BODY_LIMIT', 'Largest request body, in bytes', whole(1024, 1024 ** 3), '8388608'),
  body_memory: variable(
    'BODY_MEMORY',
    'Memory that request bodies may take in one process at the same time, in bytes, at least eight times BODY_LIMIT. Callers without good credentials get a quarter of it, one address half of either; others get SERVICE_UNAVAILABLE',
    whole(16 * 1024 ** 2, 1024 ** 4, true),
    undefined,
    { default_note: '`67108864`, or eight times BODY_LIMIT if that is more' }
  ),
  log_level: variable('LOG_LEVEL', LOG_LEVELS.join(', '), oneOf(LOG_LEVELS), 'info'),
  request_timeout_ms: variable(
    'REQUEST_TIMEOUT_MS',
    'Milliseconds a call may take, waiting in wait_for_messages excepted',
    whole(100, 600_000),
    '30000'
  ),
  statement_timeout_ms: variable(
    'STATEMENT_TIMEOUT_MS',
    'Milliseconds one database statement may take',
    whole(100, 600_000),
    '10000'
  ),
  database_connect_timeout_ms: variable(
    'DATABASE_CONNECT_TIMEOUT_MS',
    'Milliseconds to wait for a free or new database connection',
    whole(100, 60_000),
    '5000'
  ),
  max_in_flight: variable(
    'MAX_IN_FLIGHT',
    'Requests that one process handles at the same time; others get SERVICE_UNAVAILABLE',
    whole(1, 100_000),
    '1000'
  ),
  waiters_max: variable(
    'WAITERS_MAX',
    'Calls of wait_for_messages that wait in one process at the same time; others get SERVICE_UNAVAILABLE',
    whole(1, 100_000),
    '5000'
  ),
  waiters_per_agent_max: variable(
    'WAITERS_PER_AGENT_MAX',
    'The same for one agent; others get RATE_LIMITED',
    whole(1, 100_000),
    '100'
  ),
  streams_max: variable(
    'STREAMS_MAX',
    'Event streams that are open in one process at the same time; others get SERVICE_UNAVAILABLE',
    whole(1, 100_000),
    '5000'
  ),
  streams_per_agent_max: variable(
    'STREAMS_PER_AGENT_MAX',
    'The same for one agent; others get RATE_LIMITED',
    whole(1, 100_000),
    '100'
  ),
  connections_max: variable(
    'CONNECTIONS_MAX',
    'HTTP connections that are open in one process at the same time; others are closed at once',
    whole(1, 1_000_000),
    '20000'
  ),
  connections_per_address_max: variable(
    'CONNECTIONS_PER_ADDRESS_MAX',
    'The same for one address (IPv6: one /64), such as a proxy',
    whole(1, 1_000_000),
    '10000'
  ),
  rate_limit_agent_per_minute: variable(
    'RATE_LIMIT_AGENT_PER_MINUTE',
    'Calls of one agent in a minute, on all replicas together; others get RATE_LIMITED. 0: no limit',
    whole(0, 1_000_000_000),
    '120000'
  ),
  rate_limit_key_per_minute: variable(
    'RATE_LIMIT_KEY_PER_MINUTE',
    'Calls of all agents with one API key in a minute. 0: no limit',
    whole(0, 1_000_000_000),
    '600000'
  ),
  rate_limit_address_per_minute: variable(
    'RATE_LIMIT_ADDRESS_PER_MINUTE',
    'Requests from one address (IPv6: one /64) in a minute. Behind a proxy that TRUST_PROXY does not name, all requests come from the proxy. 0: no limit',
    whole(0, 1_000_000_000),
    '600000'
  ),
  rate_limit_failures_per_minute: variable(
    'RATE_LIMIT_FAILURES_PER_MINUTE',
    'Wrong keys and tokens from one address in a minute. The last six are answered more and more slowly, those beyond get RATE_LIMITED; right keys keep working. 0: no limit',
    whole(0, 1_000_000),
    '300'
  ),
  rate_limit_initialize_per_minute: variable(
    'RATE_LIMIT_INITIALIZE_PER_MINUTE',
    'MCP sessions that one address may open in a minute. 0: no limit',
    whole(0, 1_000_000),
    '1200'
  ),
  quota_sessions: variable(
    'QUOTA_SESSIONS',
    'Sessions of one workspace; more get QUOTA_EXCEEDED. 0: no limit, here and below',
    whole(0, 1_000_000_000),
    '1000000'
  ),
  quota_session_messages: variable(
    'QUOTA_SESSION_MESSAGES',
    'Messages and later changes of one session',
    whole(0, 1_000_000_000),
    '2000000'
  ),
  quota_session_bytes: variable(
    'QUOTA_SESSION_BYTES',
    'Bytes written into one session: content and metadata of its messages',
    whole(0, 2 ** 50),
    '2147483648'
  ),
  quota_memory_entries: variable(
    'QUOTA_MEMORY_ENTRIES',
    'Memory values of one agent',
    whole(0, 1_000_000_000),
    '100000'
  ),
  quota_memory_bytes: variable(
    'QUOTA_MEMORY_BYTES',
    'Bytes of these values: keys, values and metadata',
    whole(0, 2 ** 50),
    '1073741824'
  ),
  retention_days: variable(
    'RETENTION_DAYS',
    'Days that the service keeps messages, and closed sessions after their last activity. A workspace can have its own setting (set_retention). 0: for ever',
    whole(0, 36_500),
    '0'
  ),
  audit_retention_days: variable(
    'AUDIT_RETENTION_DAYS',
    'Days that the service keeps audit rows. A workspace can have its own setting (the command `retention audit`). Needs AUDIT_HMAC_KEY, because rows go only up to a signed head. 0: for ever',
    whole(0, 36_500),
    '0'
  ),
  migrate_on_start: variable(
    'MIGRATE_ON_START',
    'false: the start does not migrate; run the command `migrate up`',
    flag,
    'true'
  ),
  shutdown_delay_ms: variable(
    'SHUTDOWN_DELAY_MS',
    'Milliseconds between "not ready" and refusing requests, so that load balancers notice',
    whole(0, 600_000),
    '0'
  ),
  shutdown_timeout_ms: variable(
    'SHUTDOWN_TIMEOUT_MS',
    'Milliseconds that requests in flight have to finish',
    whole(0, 600_000),
    '20000'
  ),
  agent_id: variable('AGENT_ID', 'agent_id of the command `mcp` (stdio)', optional, undefined, {
    default_note: "the MCP client's name"
  }),
  agent_type: variable('AGENT_TYPE', 'agent_type of the command `mcp` (stdio)', optional, undefined, {
    default_note: 'mcp'
  }),
  mcp_output_schemas: variable(
    'MCP_OUTPUT_SCHEMAS',
    'true: tools/list of the command `mcp` (stdio) has the schemas of the answers, like `/mcp?output_schemas=true`',
    flag,
    'false'
  )
}

/** Every variable, in the order of the table in docs/configuration.md. */
export const variables: Variable[] = Object.values(described).map(({ read, ...variable }) => variable)

/**
 * Reads and checks the environment. An empty value counts as unset.
 * @throws ConfigError with all faults
 */
export function loadConfig(env: Record<string, string | undefined>): Readonly<Config> {
  const faults: string[] = []
  const faulty = new Set<string>()
  const config: Partial<Record<keyof Config, unknown>> = { production: env.NODE_ENV === 'production' }
  for (const [name, { read, ...variable }] of Object.entries(described)) {
    const own = env[variable.name]?.trim()
    const text = own || (variable.alias !== undefined ? env[variable.alias]?.trim() : undefined) || variable.default
    try {
      config[name as keyof Config] = (read as Reader<unknown>)(text || undefined)
    } catch (fault) {
      faults.push(`${variable.name} ${(fault as Error).message}`)
      faulty.add(variable.name)
    }
  }
  // A full body, parsed, is at most three times as large, which is what one address may have.
  config.body_memory ??= Math.max(BODY_MEMORY, BODY_MEMORY_TIMES * (config.body_limit as number))
  faults.push(...together(config as Config, faulty))
  if (faults.length > 0)
    throw new ConfigError(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map(fault => `  - ${fault}`).join('\n')}`
    )
  const { host, allowed_hosts, oidc_audience, public_url } = config as Partial<Config> & { host: string }
  config.oidc_audience = oidc_audience ?? (public_url !== undefined ? [`${public_url}/mcp`] : [])
  config.allowed_hosts = allowed_hosts?.includes('*')
    ? undefined
    : (allowed_hosts ??
      (isLoopback(host) ? [...new Set([...LOOPBACK_HOSTS, host.includes(':') ? '[::1]' : host])] : undefined))
  return Object.freeze(config as Config)
}

/** What variables demand of each other; one that is `faulty` already has no value here, and is not told twice. */
function together(config: Config, faulty: Set<string>): string[] {
  const faults: string[] = []
  if (config.database_url !== undefined) {
    if (
      config.api_key === undefined &&
      config.shared_api_key !== false &&
      config.auth_enabled !== false &&
      !faulty.has('API_KEY')
    )
      faults.push('API_KEY is required with DATABASE_URL: the key agents authenticate with (openssl rand -hex 32)')
    if (config.jwt_secret_key === undefined && !faulty.has('JWT_SECRET_KEY'))
      faults.push(
        `JWT_SECRET_KEY is required with DATABASE_URL: at least ${JWT_SECRET_MIN} characters (openssl rand -hex 32)`
      )
  }
  // Who may sign tokens must not be able to sign what proves what they did with them.
  const others = [config.api_key, config.admin_api_key, ...(config.jwt_secret_key ?? [])]
  if (config.audit_hmac_keys?.some(key => others.includes(key)))
    faults.push('AUDIT_HMAC_KEY must differ from every other key (openssl rand -hex 32)')
  if (
    config.audit_retention_days > 0 &&
    config.database_url !== undefined &&
    config.audit_hmac_keys === undefined &&
    !faulty.has('AUDIT_HMAC_KEY')
  )
    faults.push('AUDIT_RETENTION_DAYS needs AUDIT_HMAC_KEY: audit rows go only up to a signed head of their chain')
  if (config.migration_database_url !== undefined && config.database_url === undefined && !faulty.has('DATABASE_URL'))
    faults.push('MIGRATION_DATABASE_URL needs DATABASE_URL: the login that the service itself uses')
  if (config.api_key !== undefined && config.api_key === config.admin_api_key)
    faults.push('ADMIN_API_KEY must differ from API_KEY, else every agent is an admin')
  if (config.auth_enabled === false && config.shared_api_key === false)
    faults.push('SHARED_API_KEY=off is refused with AUTH_ENABLED=false, by which callers need no key at all')
  if (config.auth_enabled === false && config.production)
    faults.push('AUTH_ENABLED=false is refused with NODE_ENV=production')
  if (config.auth_enabled === false && config.cors_origins?.includes('*') === true)
    faults.push(
      'CORS_ORIGINS=* is refused with AUTH_ENABLED=false: any page somebody visits could read and write; name the origins'
    )
  if (
    config.oidc_issuer !== undefined &&
    (config.oidc_audience ?? []).length === 0 &&
    config.public_url === undefined &&
    !faulty.has('PUBLIC_URL')
  )
    faults.push(
      'OIDC_AUDIENCE is required with OIDC_ISSUER, unless PUBLIC_URL is set: without it, tokens the issuer gave for other services would be taken here'
    )
  if (config.body_memory < BODY_MEMORY_TIMES * config.body_limit)
    faults.push(
      `BODY_MEMORY must be at least ${BODY_MEMORY_TIMES} times BODY_LIMIT: a body takes more memory than it has bytes`
    )
  if (config.metrics_port !== undefined && config.metrics_port !== 0 && config.metrics_port === config.port)
    faults.push('METRICS_PORT must differ from PORT')
  return faults
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

function variable<T>(
  name: string,
  description: string,
  read: Reader<T>,
  fallback?: string,
  more: Partial<Variable> = {}
) {
  return { name, description, ...(fallback !== undefined && { default: fallback }), ...more, read }
}
