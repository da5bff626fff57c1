import type { Config } from './config-type.js'
import { BODY_MEMORY_RATIO, combinationErrors } from './combinations.js'
import { LOOPBACK_HOSTS, type Reader } from './values.js'
import { definitions } from './variables.js'

export type { Config }

export { type Variable } from './variable.js'
export { variables } from './variables.js'

/** The message is for the operator: one sentence, then each error of the configuration on a line of its own. */
export class ConfigError extends Error {}

const BODY_MEMORY_MIN = 64 * 1024 ** 2

/** What a command needs: everything, or only the address of the database. */
export type ConfigNeeds = 'all' | 'database'

/**
 * Reads the configuration from environment variables and checks it. An empty value counts as unset.
 * @throws ConfigError that lists every error at once
 */
export function loadConfig(env: Record<string, string | undefined>, needs: ConfigNeeds = 'all'): Readonly<Config> {
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
  errors.push(...combinationErrors(config as Config, invalid, needs === 'all'))
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
