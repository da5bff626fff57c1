import type { Reader } from './values.js'

/** What the documentation says of an environment variable. */
export interface Variable {
  name: string
  alias?: string
  description: string
  default?: string
  /** Shown in the documentation where the default depends on other settings. */
  default_note?: string
  secret?: true
}

export type Definition<T> = Variable & { read: Reader<T> }
type More = Pick<Variable, 'alias' | 'default_note' | 'secret'>

/** Declares an environment variable. Without a default, its value is undefined while it is unset. */
export function variable<T>(
  name: string,
  description: string,
  read: Reader<T>,
  fallback: string,
  more?: More
): Definition<T>
export function variable<T>(
  name: string,
  description: string,
  read: Reader<T>,
  fallback?: undefined,
  more?: More
): Definition<T | undefined>
export function variable<T>(
  name: string,
  description: string,
  read: Reader<T>,
  fallback?: string,
  more?: More
): Definition<T> {
  return { name, description, ...(fallback !== undefined && { default: fallback }), ...more, read }
}
