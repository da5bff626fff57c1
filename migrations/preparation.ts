/**
 * What is done before a migration's own transaction, one thing at a time, so that nobody waits long while others use
 * the tables (src/postgres/online.ts). An index is built without a lock that matters. Each statement has a transaction
 * of its own, so that it locks one table alone. A program may be ended between two of them, so a statement must be
 * repeatable. In a database without tables all is done at once.
 */
export type Preparation = OnlineIndex | { statement: string }

export interface OnlineIndex {
  index: string
  table: string
  unique?: true
  /** What follows the table's name. */
  as: string
}

export function statementOf(one: Preparation): string {
  if ('statement' in one) return one.statement
  return `create ${one.unique === true ? 'unique ' : ''}index ${one.index} on ${one.table} ${one.as}`
}

/** The view with the policy's condition, by which the service uses a table that it may not use itself. */
export function viewOf(name: string): { statement: string } {
  return {
    statement: `create or replace view ${name} as select * from ${name}_rows
      where workspace = (select current_setting('scs.workspace', true))
        or (select current_setting('scs.workspace', true)) = '*'
      with local check option`
  }
}
