import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../postgres/schema.js'
import { workspacesIn } from '../postgres/workspaces.js'
import { version } from '../version.js'
import { FORMAT, type Header, type Part, PartDigest } from './backup-file.js'
import { sequencesOf, type Table, tablesOf } from './tables.js'

/** Rows are fetched so many at a time; one row may have megabytes, which is then fetched by itself. */
const FETCH_ROWS = 1000
const FETCHED_BYTES_MAX = 8192

/** The same text of a row in every database. Only for the transaction. */
export async function printAlike(tx: Db): Promise<void> {
  await sql`select set_config('timezone', 'UTC', true), set_config('bytea_output', 'hex', true),
    set_config('extra_float_digits', '1', true)`.execute(tx)
}

/**
 * The lines of a backup (backup-file.ts), without their line ends.
 * @param tx a repeatable-read transaction: what is written meanwhile is not in the backup
 */
export async function* backupLines(tx: Db): AsyncGenerator<string> {
  await printAlike(tx)
  const tables = await tablesOf(tx)
  const { rows } = await sql<{ name: string }>`select max(name) as name from kysely_migration`.execute(tx)
  const header: Header = {
    format: FORMAT,
    id: randomUUID(),
    program: version,
    migration: rows[0]?.name as string,
    created_at: new Date().toISOString()
  }
  const outside = new PartDigest()
  const outsideLine = (line: unknown[]) => {
    const text = JSON.stringify(line)
    outside.add(text, false)
    return text
  }
  yield outsideLine(['backup', header])
  const parts: Part[] = [null, ...(await workspacesOf(tx, tables))]
  for (const part of parts) {
    yield outsideLine(['part', part])
    const digest = new PartDigest()
    for await (const { line, is_row } of partLines(tx, tables, part)) {
      digest.add(line, is_row)
      yield line
    }
    yield outsideLine(['end', digest.end()])
  }
  yield outsideLine(['sequences', await sequencesOf(tx)])
  yield JSON.stringify(['complete', { parts: parts.length, sha256: outside.end().sha256 }])
}

/** All that have rows, sorted. */
export async function workspacesOf(tx: Db, tables: readonly Table[]): Promise<string[]> {
  const found = new Set<string>()
  for (const { name, has_workspace } of tables)
    if (has_workspace) for (const workspace of await workspacesIn(tx, name)) found.add(workspace)
  return [...found].sort()
}

/** The lines of one part: of each table that has rows in it, a line about the table and its rows. */
export async function* partLines(
  tx: Db,
  tables: readonly Table[],
  part: Part
): AsyncGenerator<{ line: string; is_row: boolean }> {
  for (const table of tables) {
    let named = false
    for await (const line of rowsOf(tx, table, part)) {
      if (!named) yield { line: JSON.stringify(['table', table.name, table.columns]), is_row: false }
      named = true
      yield { line, is_row: true }
    }
  }
}

async function* rowsOf(tx: Db, { name, columns, order, has_workspace }: Table, part: Part): AsyncGenerator<string> {
  if (!has_workspace && part !== null) return
  const where =
    part !== null ? sql`where workspace = ${sql.lit(part)}` : has_workspace ? sql`where workspace is null` : sql``
  const by = sql.join(order.map(column => sql.ref(column)))
  const line = sql`(select row_to_json(c)::text from (select ${sql.join(columns.map(of => sql.ref(`r.${of}`)))}) c)`
  await sql`declare backup_rows no scroll cursor for
    select place, case when octet_length(line) <= ${sql.lit(FETCHED_BYTES_MAX)} then line end as line
    from (
      select r.place, ${line} as line
      from (select *, ctid as place from ${sql.table(name)} ${where} order by ${by}) r
      offset 0) b`.execute(tx)
  for (let more = true; more;) {
    const { rows } = await sql<{ place: string; line: string | null }>`
      fetch ${sql.lit(FETCH_ROWS)} from backup_rows`.execute(tx)
    for (const row of rows) {
      const text = row.line ?? (await largeRow(tx, name, line, row.place))
      // Between the tokens of a stored JSON text there may be line ends; in its strings there are none.
      yield text.replaceAll('\n', ' ')
    }
    more = rows.length === FETCH_ROWS
  }
  await sql`close backup_rows`.execute(tx)
}

/** A row by its place in the table, which is the same for the whole transaction. */
async function largeRow(tx: Db, name: string, line: RawBuilder<unknown>, place: string): Promise<string> {
  const { rows } = await sql<{ line: string }>`
    select ${line} as line from ${sql.table(name)} r where r.ctid = ${place}::tid`.execute(tx)
  return (rows[0] as { line: string }).line
}
