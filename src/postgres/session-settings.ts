/**
 * Settings that our SQL relies on. A server, database or role can have other values, so every connection sets them:
 * once for its life, or, behind a pooler that lends server connections, for each transaction. They are not in the
 * startup packet, because poolers refuse most of them there.
 *
 * Some are left as they are:
 * - `default_transaction_read_only`: by it an operator marks a server that must not be written to, and the service
 *   respects that (scope-prefix.ts).
 * - `synchronous_commit`, but for `off`, and `work_mem`, but for little: see `atLeast`.
 * - Costs such as `random_page_cost` and caches: they describe the machine. So do tablespaces and access methods.
 * - What only a superuser may set: `lc_messages` (the service reads codes, not words), `temp_file_limit`,
 *   `deadlock_timeout`, `log_statement`. `session_replication_role` is refused at the start (installation.ts).
 * - What changes no answer of ours: `quote_all_identifiers`, `backslash_quote`, `escape_string_warning`, `xmloption`,
 *   `default_text_search_config`, `check_function_bodies`, and all that is for vacuum.
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
  // With `on` a statement that PostgreSQL refuses ends the connection.
  ['exit_on_error', 'off'],
  // Otherwise an index of ours returns some of the rows, taken at random.
  ['gin_fuzzy_search_limit', '0'],
  // Decides what the operator `<%` finds.
  ['pg_trgm.word_similarity_threshold', '0.6'],
  // Every notice is a message to the service, which reads none.
  ['client_min_messages', 'warning'],
  // How statements are planned. Ours take milliseconds: compiling them, or starting a process for them, takes longer.
  ['jit', 'off'],
  ['max_parallel_workers_per_gather', '0'],
  ['plan_cache_mode', 'auto'],
  ['from_collapse_limit', '8'],
  ['join_collapse_limit', '8'],
  ...['bitmapscan', 'hashjoin', 'indexscan', 'nestloop', 'seqscan', 'sort'].map(how => [`enable_${how}`, 'on'] as const)
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
  /** As the server, database or role has them. */
  given: GivenSettings
}

export interface GivenSettings {
  synchronous_commit: string
  work_mem_kb: number
}

/** Kilobytes that a sort of ours may take before it writes to files: what PostgreSQL comes with. */
const WORK_MEM_MIN_KB = 4096

/**
 * Settings that an operator may raise, and that are raised where they are too low. With `synchronous_commit = off` a
 * crash of the server would lose what the service has acknowledged; `local` is the least that does not.
 */
function atLeast({ synchronous_commit, work_mem_kb }: GivenSettings): Settings {
  return [
    ...(synchronous_commit === 'off' ? [['synchronous_commit', 'local'] as const] : []),
    ...(work_mem_kb < WORK_MEM_MIN_KB ? [['work_mem', `${WORK_MEM_MIN_KB}kB`] as const] : [])
  ]
}

export function settingsFor({
  server_major,
  statement_timeout_ms,
  search_path,
  local,
  given
}: SettingsOptions): Settings {
  const timeout = String(statement_timeout_ms)
  return [
    ...SETTINGS,
    ...atLeast(given),
    ...(local ? [] : SESSION_SETTINGS),
    ['statement_timeout', timeout],
    ['idle_in_transaction_session_timeout', timeout],
    // It would end transactions that statement_timeout allows.
    ...(server_major >= 17 ? [['transaction_timeout', '0'] as const] : []),
    ...(search_path === undefined ? [] : [['search_path', search_path] as const])
  ]
}
