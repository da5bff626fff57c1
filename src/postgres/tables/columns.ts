import type { ColumnType } from 'kysely'

/**
 * Read as ISO-8601 text in UTC with milliseconds and Z (connect.ts makes it). Written as such a text, or by the
 * database's clock.
 */
export type Stamp = ColumnType<string, string | undefined, string>
/** Read as a parsed object. Written as JSON text. */
export type Json = ColumnType<Record<string, unknown>, string | undefined, string>
