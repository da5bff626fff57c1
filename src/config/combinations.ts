import { JWT_SECRET_MIN } from './values.js'
import type { Config } from './variables.js'

/** BODY_MEMORY is at least so many times BODY_LIMIT. */
export const BODY_MEMORY_RATIO = 8

/**
 * Checks the rules that involve several variables. It does not report a variable as missing that is in `invalid`: that
 * one is set, and its own error is reported already.
 * @param needs_keys whether the keys of callers are needed
 */
export function combinationErrors(config: Config, invalid: ReadonlySet<string>, needs_keys: boolean): string[] {
  const errors: string[] = []
  if (config.database_url !== undefined && needs_keys) {
    if (
      config.api_key === undefined &&
      config.shared_api_key !== false &&
      config.auth_enabled !== false &&
      !invalid.has('API_KEY')
    )
      errors.push('API_KEY is required with DATABASE_URL: the key agents authenticate with (openssl rand -hex 32)')
    if (config.jwt_secret_key === undefined && !invalid.has('JWT_SECRET_KEY'))
      errors.push(
        `JWT_SECRET_KEY is required with DATABASE_URL: at least ${JWT_SECRET_MIN} characters (openssl rand -hex 32)`
      )
  }
  // Whoever can sign tokens must not be able to forge the audit log that records their use.
  const others = [config.api_key, config.admin_api_key, ...(config.jwt_secret_key ?? [])]
  if (config.audit_hmac_keys?.some(key => others.includes(key)))
    errors.push('AUDIT_HMAC_KEY must differ from every other key (openssl rand -hex 32)')
  if (
    config.audit_retention_days > 0 &&
    needs_keys &&
    config.database_url !== undefined &&
    config.audit_hmac_keys === undefined &&
    !invalid.has('AUDIT_HMAC_KEY')
  )
    errors.push(
      'AUDIT_RETENTION_DAYS needs AUDIT_HMAC_KEY: audit rows are removed only up to a signed head of their chain'
    )
  if (config.migration_database_url !== undefined && config.database_url === undefined && !invalid.has('DATABASE_URL'))
    errors.push('MIGRATION_DATABASE_URL needs DATABASE_URL: the login that the service itself uses')
  if (config.database_listen_url !== undefined && config.database_url === undefined && !invalid.has('DATABASE_URL'))
    errors.push('DATABASE_LISTEN_URL needs DATABASE_URL: both lead to the same database')
  if (config.api_key !== undefined && config.api_key === config.admin_api_key)
    errors.push('ADMIN_API_KEY must differ from API_KEY, else every agent is an admin')
  if (config.auth_enabled === false && config.shared_api_key === false)
    errors.push('SHARED_API_KEY=off is refused with AUTH_ENABLED=false, which lets callers in without any key')
  if (config.auth_enabled === false && config.production)
    errors.push('AUTH_ENABLED=false is refused with NODE_ENV=production')
  if (config.auth_enabled === false && config.cors_origins?.includes('*') === true)
    errors.push(
      'CORS_ORIGINS=* is refused with AUTH_ENABLED=false: any web page a user visits could read and write; ' +
        'name the origins'
    )
  if (
    config.oidc_issuer !== undefined &&
    (config.oidc_audience ?? []).length === 0 &&
    config.public_url === undefined &&
    !invalid.has('PUBLIC_URL')
  )
    errors.push(
      'OIDC_AUDIENCE is required with OIDC_ISSUER, unless PUBLIC_URL is set: without it, ' +
        'the service would accept tokens that the issuer gave for other services'
    )
  if (config.body_memory < BODY_MEMORY_RATIO * config.body_limit)
    errors.push(
      `BODY_MEMORY must be at least ${BODY_MEMORY_RATIO} times BODY_LIMIT: a body takes more memory than it has bytes`
    )
  if (config.metrics_port !== undefined && config.metrics_port !== 0 && config.metrics_port === config.port)
    errors.push('METRICS_PORT must differ from PORT')
  return errors
}
