import pg from 'pg'
import { ReadOnlyServer } from './faults.js'
import type { PrefixStatement, Statement } from './pg-internals.js'
import { nameFor } from './statement-names.js'

/** What is sent before a statement that runs for a workspace. */
export interface ScopePrefixes {
  role: string | undefined
  /** Before a statement, and before one that is planned once. */
  each: readonly PrefixStatement[]
  once: readonly PrefixStatement[]
  /** The same as a statement by itself, after `begin`. */
  inTransaction: Statement
}

/** @param role undefined: statements run as the login */
export function scopePrefixes(role: string | undefined, scope: string): ScopePrefixes {
  const each = scopeStatement(role, scope, [])
  const once = scopeStatement(role, scope, ["set_config('plan_cache_mode', 'force_generic_plan', true) as plan"])
  const { name, text, values } = each
  return { role, each: [each], once: [once], inTransaction: { name, text, values } }
}

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
