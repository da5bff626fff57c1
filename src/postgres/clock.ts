import { sql } from 'kysely'
import type { Db } from './schema.js'

/**
 * The database's clock, in conditions that an index is to serve. It is read once for a statement: PostgreSQL compares
 * each row of a table with a clock_timestamp() that may change. Order by the column, too: without statistics the
 * planner hopes to find enough rows soon, and reads the table.
 */
export const CLOCK = sql<Date>`(select clock_timestamp())`

/** The time by the database's clock, or a time so many days ago. */
export async function databaseTime(db: Db, days_ago = 0): Promise<string> {
  const { rows } = await sql<{ time: string }>`
    select clock_timestamp() - make_interval(days => ${days_ago}::int) as time`.execute(db)
  return (rows[0] as { time: string }).time
}
