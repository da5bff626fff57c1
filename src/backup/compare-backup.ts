import type { Db } from '../postgres/schema.js'
import { type Event, type Part, PartDigest, partName } from './backup-file.js'
import { partLines, printAlike, workspacesOf } from './create-backup.js'
import { tablesOf } from './tables.js'

/**
 * Holds a backup against a database: whether each part has the same rows in both.
 * @param tx a repeatable-read transaction
 * @returns a sentence for each part that differs
 */
export async function differences(tx: Db, events: AsyncIterable<Event>): Promise<string[]> {
  await printAlike(tx)
  const tables = await tablesOf(tx)
  const found: string[] = []
  let part: Part = null
  const missing = new Set<Part>(await workspacesOf(tx, tables))
  for await (const event of events) {
    if (event.type === 'part') part = event.part
    missing.delete(part)
    if (event.type !== 'end') continue
    const digest = new PartDigest()
    for await (const { line, is_row } of partLines(tx, tables, part)) digest.add(line, is_row)
    const { rows, sha256 } = digest.end()
    if (sha256 !== event.end.sha256)
      found.push(`${partName(part)}: ${event.end.rows} rows in the backup, ${rows} in the database, not the same.`)
  }
  for (const workspace of missing) found.push(`${partName(workspace)}: only in the database, not in the backup.`)
  return found
}
