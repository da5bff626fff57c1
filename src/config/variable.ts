import type { Reader } from './values.js'

export interface Variable {
  name: string
  alias?: string
  /** For the table in docs/configuration.md. */
  description: string
  default?: string
  /** Shown in the documentation where the default depends on other settings. */
  default_note?: string
  secret?: true
}

/** Declares an environment variable; `read` turns its text into the setting's value. */
export function variable<T>(
  name: string,
  description: string,
  read: Reader<T>,
  fallback?: string,
  more: Partial<Variable> = {}
) {
  return { name, description, ...(fallback !== undefined && { default: fallback }), ...more, read }
}
