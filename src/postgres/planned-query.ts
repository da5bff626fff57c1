import type { CompiledQuery } from 'kysely'
import type { Statement } from './pg-internals.js'
import { nameFromSecondTime } from './statement-names.js'

/**
 * When PostgreSQL plans a statement. `once`: by indexes alone, see ONCE (scope-prefix.ts). `within a second` is each
 * time, and ends it then; `once, within a second` is both. Undefined: PostgreSQL decides.
 */
export type Plan = 'once' | 'each time' | 'within a second' | 'once, within a second' | undefined

export interface PlannedStatement extends Statement {
  plan?: Plan
  /**
   * In a transaction it is sent in the round trip of what comes next, the commit at the latest. Its answer is not read,
   * and a fault of it is thrown there.
   */
  withNext?: boolean
}

interface PlannedQuery extends CompiledQuery {
  readonly plan?: Plan
  readonly name?: string
  readonly withNext?: boolean
}

/** A query of Kysely's, with what the connection has to know of it. */
export function withPlan(query: CompiledQuery, plan: Plan, name?: string, withNext?: boolean): PlannedQuery {
  return { ...query, plan, name, withNext }
}

/** What a connection sends of a query. It is prepared under a name if that is worth it. */
export function statementOf({ sql: text, parameters: values, plan, name, withNext }: PlannedQuery): PlannedStatement {
  return {
    name: name ?? (plan === 'each time' || plan === 'within a second' ? undefined : nameFromSecondTime(text)),
    text,
    values,
    plan,
    withNext
  }
}
