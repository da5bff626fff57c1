import pg from 'pg'
import { ReadOnlyServer } from './faults.js'
import type { Manner } from './installation.js'
import type { PrefixStatement, Statement } from './pg-internals.js'
import type { Plan } from './planned-query.js'
import { nameFor } from './statement-names.js'

/** What is sent before a statement that runs for a workspace. */
export interface ScopePrefixes {
  /** Before a statement that is planned so. */
  of: (plan: Plan) => readonly PrefixStatement[]
  /** The same as a statement by itself, after `begin`. It holds for all of the transaction. */
  inTransaction: (plan: Plan) => Statement
}

export interface ScopeOptions {
  /** Undefined: statements run as the login. */
  role: string | undefined
  scope: string
  manner: Manner
  /** Whether nothing is read from a read-only server: it may be a standby, whose data may be out of date. */
  refuses_read_only: boolean
}

export function scopePrefixes(options: ScopeOptions): ScopePrefixes {
  const prefixes: Record<Exclude<Plan, undefined>, readonly [PrefixStatement]> = {
    once: [scopeStatement(options, ONCE)],
    'once, by index': [scopeStatement(options, [...ONCE, ...BY_INDEX])],
    'each time': [scopeStatement(options, [])],
    'within a second': [scopeStatement(options, [], [ENDS_AFTER_A_SECOND])],
    'once, within a second': [scopeStatement(options, [...ONCE, ...BY_INDEX], [ENDS_AFTER_A_SECOND])]
  }
  return {
    of: plan => prefixes[plan ?? 'each time'],
    inTransaction(plan) {
      const [{ name, text, values }] = prefixes[plan ?? 'each time']
      return { name, text, values }
    }
  }
}

const ONCE: Manner['local'] = [['plan_cache_mode', 'force_generic_plan']]
/** A plan that is made while a table has one page reads it whole, and is kept until the table is analyzed. */
const BY_INDEX: Manner['local'] = [['enable_seqscan', 'off']]

/** A second, unless less is allowed anyway; 0 is no limit. */
const ENDS_AFTER_A_SECOND = `set_config('statement_timeout', case
  when current_setting('statement_timeout')::interval between interval '1 ms' and interval '1 s'
  then current_setting('statement_timeout') else '1s' end, true)`

/** Sets role, workspace and what else is needed for one transaction, and asks whether the server is read-only. */
function scopeStatement(
  { role, scope, manner, refuses_read_only }: ScopeOptions,
  more: Manner['local'],
  expressions: readonly string[] = []
): PrefixStatement {
  const columns = [
    ...[...(role === undefined ? [] : [['role', role] as const]), ...manner.local, ...more].map(
      ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, true)`
    ),
    ...expressions,
    "set_config('scs.workspace', $1, true)",
    "current_setting('transaction_read_only') as read_only"
  ]
  const text = `select ${columns.join(', ')}`
  return {
    name: manner.named ? nameFor('scs.scope', text) : undefined,
    text,
    values: [scope],
    check: row => (refuses_read_only && row.at(-1) === 'on' ? new ReadOnlyServer() : undefined)
  }
}
