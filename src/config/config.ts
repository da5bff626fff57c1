import { BODY_MEMORY_RATIO, combinationErrors } from './combinations.js'
import { LOOPBACK_HOSTS } from './values.js'
import type { Definition } from './variable.js'
import { type Config, definitions } from './variables.js'

export { type Variable } from './variable.js'
export { type Config, variables } from './variables.js'

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
  for (const [setting, definition] of Object.entries(definitions)) {
    const { name, alias = name, read, default: fallback }: Definition<unknown> = definition
    const text = env[name]?.trim() || env[alias]?.trim() || fallback
    try {
      config[setting as keyof Config] = text === undefined ? undefined : read(text)
    } catch (error) {
      errors.push(`${name} ${(error as Error).message}`)
      invalid.add(name)
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
