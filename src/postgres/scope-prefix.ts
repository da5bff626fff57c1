import pg from 'pg'
import { ReadOnlyServer } from './faults.js'
import type { PrefixStatement, Statement } from './pg-internals.js'
import { nameFor } from './statement-names.js'

/** What is sent before a statement that runs for a workspace. */
export interface ScopePrefixes {
  role: string | undefined
  /** Before a statement, before one that is planned once, and before one that ends after a second. */
  each: readonly PrefixStatement[]
  once: readonly PrefixStatement[]
  short: readonly PrefixStatement[]
  /** The same as a statement by itself, after `begin`. */
  inTransaction: Statement
}

/** @param role undefined: statements run as the login */
export function scopePrefixes(role: string | undefined, scope: string): ScopePrefixes {
  const each = scopeStatement(role, scope, [])
  const once = scopeStatement(role, scope, ["set_config('plan_cache_mode', 'force_generic_plan', true) as plan"])
  const short = scopeStatement(role, scope, [ENDS_AFTER_A_SECOND])
  const { name, text, values } = each
  return { role, each: [each], once: [once], short: [short], inTransaction: { name, text, values } }
}

/** A second, unless less is allowed anyway; 0 is no limit. */
const ENDS_AFTER_A_SECOND = `set_config('statement_timeout', case
  when current_setting('statement_timeout')::interval between interval '1 ms' and interval '1 s' then current_setting('statement_timeout')
  else '1s' end, true) as ends`

/**
 * Sets role and workspace for one transaction, and asks whether the server is read-only. Nothing is read from a
 * read-only server: it may be a standby, whose data may be out of date.
 */
function scopeStatement(role: string | undefined, scope: string, more: readonly string[]): PrefixStatement {
  const columns = [
    ...(role === undefined ? [] : [`set_config('role', ${pg.escapeLiteral(role)}, true) as role`]),
    "set_config('scs.workspace', $1, true) as workspace",
    ...more,
    "current_setting('transaction_read_only') as read_only"
  ]
  const text = `select ${columns.join(', ')}`
  return {
    name: nameFor('scs.scope', text),
    text,
    values: [scope],
    check: row => (row.at(-1) === 'on' ? new ReadOnlyServer() : undefined)
  }
}
