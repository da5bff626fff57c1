import type pg from 'pg'

/**
 * Settings that our SQL relies on. A server, database or role may set each of them to something else, so every
 * connection sets them once it is made. They are not in the startup packet: poolers refuse most of them there.
 *
 * `default_transaction_read_only` is missing on purpose: it marks a server that must not be written to (see scope.ts).
 */
const SETTINGS: Record<string, string> = {
  // How times are written and read (connect.ts parses them).
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  // How statements are read.
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
  // Policies filter rows; with `off` PostgreSQL refuses the statement instead.
  row_security: 'on',
  // Statements are written for this level; a stricter one refuses writers that only came at the same time.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // The pool ends idle connections itself.
  idle_session_timeout: '0',
  // PostgreSQL 17: it would end statements and transactions that statement_timeout allows.
  transaction_timeout: '0',
  lock_timeout: '0',
  // What `<%` finds.
  'pg_trgm.word_similarity_threshold': '0.6'
}

const APPLY = `
  select set_config(wanted.name, wanted.value, false) from json_each_text($1) as wanted (name, value)
  where wanted.name like '%.%' or exists (select from pg_settings s where lower(s.name) = lower(wanted.name))`

/**
 * Applies them to a connection, for as long as it lives.
 * @param statement_timeout_ms after which PostgreSQL ends a statement, and a transaction that does nothing; 0 for never
 * @throws whatever PostgreSQL or the driver throws; the connection is then not fit for use
 */
export async function applySettings(client: pg.ClientBase, statement_timeout_ms: number): Promise<void> {
  const timeouts = {
    statement_timeout: String(statement_timeout_ms),
    idle_in_transaction_session_timeout: String(statement_timeout_ms)
  }
  await client.query(APPLY, [JSON.stringify({ ...SETTINGS, ...timeouts })])
}
