import { sql } from 'kysely'

/**
 * The database's clock, in conditions that an index is to serve. It is read once for a statement: PostgreSQL compares
 * each row of a table with a clock_timestamp() that may change. Order by the column, too: without statistics the
 * planner hopes to find enough rows soon, and reads the table.
 */
export const CLOCK = sql<Date>`(select clock_timestamp())`
