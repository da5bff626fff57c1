import { BODY_MEMORY_RATIO, combinationErrors } from './combinations.js'
import { COMPILER_TARGET, LOOPBACK_HOSTS } from './values.js'
import type { Definition } from './variable.js'
import { type Config, definitions } from './variables.js'

export { type Variable } from './variable.js'
export { type Config, variables } from './variables.js'

/** The message is for the operator: one sentence, then each error of the configuration on a line of its own. */
export class ConfigError extends Error {}

const BODY_MEMORY_MIN = 64 * 1024 ** 2

/** What a command needs: everything, or only the address of the database. */
export type ConfigNeeds = 'all' | 'database'

/** What the environment says, and each fault of it as a clause that starts with the variable's name. */
export interface Reading {
  /** Of a variable with a fault the value is undefined. */
  config: Readonly<Config>
  faults: string[]
}

/** Reads environment variables without refusing anything. An empty value counts as unset. */
export function readConfig(env: Record<string, string | undefined>, needs: ConfigNeeds = 'all'): Reading {
  const faults: string[] = []
  const invalid = new Set<string>()
  const config: Partial<Record<keyof Config, unknown>> = { production: env.NODE_ENV === 'production' }
  for (const [setting, definition] of Object.entries(definitions)) {
    const { name, alias, read, default: fallback }: Definition<unknown> = definition
    const given = [name, alias].find(each => each !== undefined && (env[each]?.trim() ?? '') !== '')
    const text = given === undefined ? fallback : env[given]?.trim()
    try {
      config[setting as keyof Config] = text === undefined ? undefined : read(text)
    } catch (error) {
      faults.push(`${given ?? name} ${(error as Error).message}${isQuoted(text) ? QUOTED : ''}`)
      invalid.add(name)
    }
  }
  // A parsed body takes at most three times its size, which fits into the share of one address.
  config.body_memory ??= Math.max(BODY_MEMORY_MIN, BODY_MEMORY_RATIO * (config.body_limit as number))
  config.dashboard ??= config.production !== true
  faults.push(...combinationErrors(config as Config, invalid, needs === 'all'))
  const { host = '', allowed_hosts, oidc_audience, public_url } = config as Partial<Config>
  config.oidc_audience = oidc_audience ?? (public_url !== undefined ? [`${public_url}/mcp`] : [])
  config.allowed_hosts = allowed_hosts?.includes('*')
    ? undefined
    : (allowed_hosts ??
      (isLoopback(host) ? [...new Set([...LOOPBACK_HOSTS, host.includes(':') ? '[::1]' : host])] : undefined))
  config.notices = noticesOf(env)
  return { config: Object.freeze(config as Config), faults }
}

/**
 * Reads the configuration from environment variables and checks it. An empty value counts as unset.
 * @throws ConfigError that lists every fault at once
 */
export function loadConfig(env: Record<string, string | undefined>, needs: ConfigNeeds = 'all'): Readonly<Config> {
  const { config, faults } = readConfig(env, needs)
  refuse(faults)
  return config
}

/** @throws ConfigError that lists the faults, if there are any */
export function refuse(faults: readonly string[]): void {
  if (faults.length > 0)
    throw new ConfigError(
      [
        `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:`,
        ...faults.map(fault => `  - ${fault}`)
      ].join('\n')
    )
}

/** Some programs, such as docker --env-file, pass quotation marks on as a part of the value. */
const QUOTED = ' (the value is in quotation marks; remove them)'

function isQuoted(text: string | undefined): boolean {
  return /^(["']).*\1$/s.test(text ?? '')
}

function noticesOf({ HOST = '' }: Record<string, string | undefined>): string[] {
  return COMPILER_TARGET.test(HOST.trim())
    ? [`HOST=${HOST.trim()} names a compiler's target, as conda sets it; the service listens on 127.0.0.1`]
    : []
}

/** Whether the host is a loopback name or address, which only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
