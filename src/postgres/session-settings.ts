/**
 * Settings that our SQL relies on. A server, database or role can have other values, so every connection sets them:
 * once for its life, or, behind a pooler that lends server connections, for each transaction. They are not in the
 * startup packet, because poolers refuse most of them there.
 *
 * `default_transaction_read_only` is not among them: by it an operator marks a server that must not be written to, and
 * the service respects that (scope-prefix.ts).
 */
const SETTINGS: ReadonlyArray<readonly [name: string, value: string]> = [
  // How times are written and read (connect.ts parses them).
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['TimeZone', 'UTC'],
  ['bytea_output', 'hex'],
  ['extra_float_digits', '1'],
  // How statements are read.
  ['standard_conforming_strings', 'on'],
  ['transform_null_equals', 'off'],
  ['array_nulls', 'on'],
  // With `off` PostgreSQL refuses a statement whose rows a policy would filter.
  ['row_security', 'on'],
  ['lock_timeout', '0'],
  // Our statements take milliseconds, and a plan of high estimated cost takes hundreds to compile.
  ['jit', 'off'],
  // Decides what the operator `<%` finds.
  ['pg_trgm.word_similarity_threshold', '0.6']
]

/** Settings that mean nothing within a transaction. */
const SESSION_SETTINGS: typeof SETTINGS = [
  // A stricter level refuses writers that come at the same time.
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_deferrable', 'off'],
  // The pool ends idle connections itself.
  ['idle_session_timeout', '0']
]

export type Settings = typeof SETTINGS

export interface SettingsOptions {
  /** 15 and later. */
  server_major: number
  /** Milliseconds after which PostgreSQL ends a statement, and a transaction that is idle; 0 for never. */
  statement_timeout_ms: number
  /** Undefined: the tables are not found yet, and the login's own path stays. */
  search_path: string | undefined
  /** Whether the settings are made for one transaction at a time. */
  local: boolean
}

export function settingsFor({ server_major, statement_timeout_ms, search_path, local }: SettingsOptions): Settings {
  const timeout = String(statement_timeout_ms)
  return [
    ...SETTINGS,
    ...(local ? [] : SESSION_SETTINGS),
    ['statement_timeout', timeout],
    ['idle_in_transaction_session_timeout', timeout],
    // It would end transactions that statement_timeout allows.
    ...(server_major >= 17 ? [['transaction_timeout', '0'] as const] : []),
    ...(search_path === undefined ? [] : [['search_path', search_path] as const])
  ]
}
