import type { DatabaseOptions } from '../../src/postgres/connect.js'

/** How a test connects: a pool of two, and no limit to a statement, unless it says otherwise. */
export function connectionTo(url: string, more: Partial<DatabaseOptions> = {}): DatabaseOptions {
  return {
    url,
    max: 2,
    connect_timeout_ms: 30_000,
    statement_timeout_ms: 0,
    application_name: 'tests',
    onIdleError: () => {},
    ...more
  }
}
