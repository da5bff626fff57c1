import type pg from 'pg'

/**
 * Settings that our SQL relies on. A server, database or role can have other values, so every new connection sets them.
 * They are not in the startup packet, because poolers refuse most of them there.
 *
 * `default_transaction_read_only` is not among them: by it an operator marks a server that must not be written to, and
 * the service respects that (scope-prefix.ts).
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
  // With `off` PostgreSQL refuses a statement whose rows a policy would filter.
  row_security: 'on',
  // A stricter level refuses writers that come at the same time.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // The pool ends idle connections itself.
  idle_session_timeout: '0',
  // From PostgreSQL 17 on. It would end transactions that statement_timeout allows.
  transaction_timeout: '0',
  lock_timeout: '0',
  // Decides what the operator `<%` finds.
  'pg_trgm.word_similarity_threshold': '0.6'
}

const APPLY = `
  select set_config(wanted.name, wanted.value, false) from json_each_text($1) as wanted (name, value)
  where wanted.name like '%.%' or exists (select from pg_settings s where lower(s.name) = lower(wanted.name))`

/**
 * Sets them for the life of a connection.
 * @param statement_timeout_ms after which PostgreSQL ends a statement, and a transaction that is idle; 0 for never
 * @throws whatever PostgreSQL or the driver throws. The connection must not be used then.
 */
export async function applySettings(client: pg.ClientBase, statement_timeout_ms: number): Promise<void> {
  const timeouts = {
    statement_timeout: String(statement_timeout_ms),
    idle_in_transaction_session_timeout: String(statement_timeout_ms)
  }
  await client.query(APPLY, [JSON.stringify({ ...SETTINGS, ...timeouts })])
}
