import pg from 'pg'
import { ReadOnlyServer } from './faults.js'
import type { Manner } from './installation.js'
import type { PrefixStatement } from './pg-internals.js'
import type { Plan } from './planned-query.js'
import { nameFor } from './statement-names.js'

/** What is sent before a statement that runs for a workspace. */
export interface ScopePrefixes {
  /** Before a statement that is planned so. It holds for all of the transaction. */
  of: (plan: Plan) => readonly PrefixStatement[]
  /** Before a statement of a transaction that is planned so, for the rest of it; undefined: as before. */
  within: (plan: Plan) => readonly [PrefixStatement] | undefined
  /** Lets PostgreSQL decide again, for the rest of the transaction. */
  decides: PrefixStatement
  /** Whether statements may be prepared under names. */
  named: boolean
}

/** Whether a statement of a transaction can be planned so by itself. */
export const isSetWithin = (plan: Plan) => plan === 'once'

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
    'each time': [scopeStatement(options, [])],
    'within a second': [scopeStatement(options, [], [ENDS_AFTER_A_SECOND])],
    'once, within a second': [scopeStatement(options, ONCE, [ENDS_AFTER_A_SECOND])]
  }
  const settings = (of: Manner['local']) => settingStatement(of, options.manner)
  const once = [settings(ONCE)] as const
  return {
    of: plan => prefixes[plan ?? 'each time'],
    within: plan => (isSetWithin(plan) ? once : undefined),
    decides: settings(DECIDES),
    named: options.manner.named
  }
}

/**
 * Without `enable_seqscan = off` a plan that is made while a table has one page reads it whole, and is kept until the
 * table is analyzed. A plan that is made from an unlucky sample of a large session reads the table whole too.
 */
const ONCE: Manner['local'] = [
  ['plan_cache_mode', 'force_generic_plan'],
  ['enable_seqscan', 'off']
]

/** As every connection has them. */
const DECIDES: Manner['local'] = [
  ['plan_cache_mode', 'auto'],
  ['enable_seqscan', 'on']
]

/** A second, unless less is allowed anyway; 0 is no limit. */
export const ENDS_AFTER_A_SECOND = `set_config('statement_timeout', case
  when current_setting('statement_timeout')::interval between interval '1 ms' and interval '1 s'
  then current_setting('statement_timeout') else '1s' end, true)`

/** Sets these for the rest of a transaction. */
function settingStatement(settings: Manner['local'], { named }: Manner): PrefixStatement {
  const text = `select ${settings.map(settingTo).join(', ')}`
  return { name: named ? nameFor('scs.plan', text) : undefined, text }
}

const settingTo = ([name, value]: readonly [string, string]) =>
  `set_config('${name}', ${pg.escapeLiteral(value)}, true)`

/** Sets role, workspace and what else is needed for one transaction, and asks whether the server is read-only. */
function scopeStatement(
  { role, scope, manner, refuses_read_only }: ScopeOptions,
  more: Manner['local'],
  expressions: readonly string[] = []
): PrefixStatement {
  const columns = [
    ...[...(role === undefined ? [] : [['role', role] as const]), ...manner.local, ...more].map(settingTo),
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
