/**
 * What a migration needs and what takes long on a large table, made before its transaction, while everybody reads and
 * writes (src/postgres/online.ts). Each is made only if it is not there yet, since a program may be ended halfway.
 * `up` makes it too, for a database that has no rows.
 */
export type Preparation = OnlineIndex | { statement: string }

export interface OnlineIndex {
  index: string
  table: string
  /** What follows the table's name. */
  as: string
}

export function statementOf({ index, table, as }: OnlineIndex): string {
  return `create index if not exists ${index} on ${table} ${as}`
}
