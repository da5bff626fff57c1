import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../postgres/schema.js'
import { workspacesIn } from '../postgres/workspaces.js'
import { version } from '../version.js'
import { FORMAT, type Header, type Part, PartDigest } from './backup-file.js'
import { type Table, tablesOf } from './tables.js'

/** Rows are fetched so many bytes at a time, about; one row may have megabytes. */
const FETCH_BYTES = 4 * 1024 * 1024
const FETCH_ROWS_MAX = 5000

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
  yield JSON.stringify(['backup', header])
  const parts: Part[] = [null, ...(await workspacesOf(tx, tables))]
  for (const part of parts) {
    yield JSON.stringify(['part', part])
    const digest = new PartDigest()
    for await (const { line, is_row } of partLines(tx, tables, part)) {
      digest.add(line, is_row)
      yield line
    }
    yield JSON.stringify(['end', digest.end()])
  }
  yield JSON.stringify(['complete', { parts: parts.length }])
}

async function workspacesOf(tx: Db, tables: readonly Table[]): Promise<string[]> {
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
  const refs = (names: readonly string[]) => sql.join(names.map(column => sql.ref(column)))
  await sql`declare backup_rows no scroll cursor for
    select row_to_json(r)::text as line
    from (select ${refs(columns)} from ${sql.table(name)} ${where} order by ${refs(order)}) r`.execute(tx)
  for (let most = 50; ;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.lit(most)} from backup_rows`.execute(tx)
    let bytes = 0
    for (const { line } of rows) {
      bytes += line.length
      // Between the tokens of a stored JSON text there may be line ends; in its strings there are none.
      yield line.replaceAll('\n', ' ')
    }
    if (rows.length < most) break
    most = Math.max(1, Math.min(FETCH_ROWS_MAX, 4 * most, Math.floor((FETCH_BYTES * rows.length) / bytes)))
  }
  await sql`close backup_rows`.execute(tx)
}
