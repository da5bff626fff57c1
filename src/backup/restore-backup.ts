import { sql } from 'kysely'
import { UNFINISHED_RESTORE } from '../postgres/migrate.js'
import type { Db } from '../postgres/schema.js'
import { BackupFault, type Event, type Part, type PartEnd } from './backup-file.js'
import { printAlike } from './create-backup.js'
import { type Table, tablesOf } from './tables.js'

/** Rows are stored so many characters at a time, about. */
const STORE_CHARACTERS = 1024 * 1024

/** The backup that a restore of this database has begun with and not finished; undefined: there is none. */
export async function unfinishedRestore(db: Db): Promise<string | undefined> {
  const { rows } = await sql<{
    there: boolean
  }>`select to_regclass(${UNFINISHED_RESTORE}) is not null as there`.execute(db)
  if (rows[0]?.there !== true) return undefined
  const progress = await sql<{ id: string }>`select backup as id from ${sql.table(UNFINISHED_RESTORE)} limit 1`.execute(
    db
  )
  return progress.rows[0]?.id
}

/**
 * Stores the rows of a backup in an empty database that has the backup's migrations. Each part is a transaction: a
 * restore that was broken off goes on with the next part.
 * @param onPart told of each part; `stored` is false for one that an earlier try has stored
 * @throws BackupFault; then the parts before are stored
 */
export async function restore(
  db: Db,
  events: AsyncIterator<Event>,
  id: string,
  onPart: (part: Part, end: PartEnd, stored: boolean) => void
): Promise<void> {
  const tables = new Map((await tablesOf(db)).map(table => [table.name, table]))
  await sql`create table if not exists ${sql.table(UNFINISHED_RESTORE)} (backup text, part text)`.execute(db)
  const begun = await unfinishedRestore(db)
  if (begun === undefined) await sql`insert into ${sql.table(UNFINISHED_RESTORE)} values (${id}, null)`.execute(db)
  let sequences: Record<string, string> = {}
  for (;;) {
    const event = await next(events)
    if (event.type === 'complete') break
    if (event.type === 'sequences') {
      sequences = event.sequences
      continue
    }
    if (event.type !== 'part') throw new BackupFault('The backup was changed or damaged: its parts are not in order.')
    const { part } = event
    const key = JSON.stringify(part)
    const { rows: done } = await sql`select 1 from ${sql.table(UNFINISHED_RESTORE)} where part = ${key}`.execute(db)
    if (done.length > 0) {
      let read = await next(events)
      while (read.type !== 'end') read = await next(events)
      onPart(part, read.end, false)
      continue
    }
    const end = await db.transaction().execute(async tx => {
      const end = await storePart(tx, tables, events)
      await sql`insert into ${sql.table(UNFINISHED_RESTORE)} values (${id}, ${key})`.execute(tx)
      return end
    })
    onPart(part, end, true)
  }
  // Read to its end: what follows would be a fault.
  if ((await events.next()).done !== true) throw new BackupFault('The backup goes on behind its end.')
  await db.transaction().execute(async tx => {
    for (const [name, next] of Object.entries(sequences))
      await sql`select setval(${name}::regclass, ${next}::bigint, false)`.execute(tx)
    await sql`drop table ${sql.table(UNFINISHED_RESTORE)}`.execute(tx)
  })
  await sql`analyze`.execute(db)
}

async function next(events: AsyncIterator<Event>): Promise<Event> {
  const result = await events.next()
  if (result.done === true) throw new BackupFault('The backup is cut off: its end is missing.')
  return result.value
}

/** Stores the rows of a part, to its end. Its digest has been checked by then, else the transaction is undone. */
async function storePart(tx: Db, tables: Map<string, Table>, events: AsyncIterator<Event>): Promise<PartEnd> {
  await printAlike(tx)
  const opened = new Set<string>()
  let table: { name: string; columns: string[] } | undefined
  let lines: string[] = []
  let characters = 0
  const store = async () => {
    if (table !== undefined && lines.length > 0) await insert(tx, table, lines)
    lines = []
    characters = 0
  }
  for (;;) {
    const event = await next(events)
    if (event.type === 'row') {
      lines.push(event.line)
      characters += event.line.length
      if (characters >= STORE_CHARACTERS) await store()
      continue
    }
    await store()
    if (event.type === 'end') {
      for (const name of opened) await sql`alter table ${sql.table(name)} enable trigger user`.execute(tx)
      return event.end
    }
    if (event.type !== 'table') throw new BackupFault('The backup was changed or damaged: its parts are not in order.')
    const known = tables.get(event.table)
    if (known === undefined || event.columns.some(column => !known.columns.includes(column)))
      throw new BackupFault(`The backup has a table or column that is not in the database: ${event.table}.`)
    table = { name: event.table, columns: event.columns }
    // What triggers count and keep is in the backup itself.
    await sql`alter table ${sql.table(table.name)} disable trigger user`.execute(tx)
    opened.add(table.name)
    // The one table that is not empty in a new database.
    if (table.name === 'search_secret') await sql`delete from search_secret`.execute(tx)
  }
}

async function insert(
  tx: Db,
  { name, columns }: { name: string; columns: readonly string[] },
  lines: readonly string[]
): Promise<void> {
  const listed = sql.join(columns.map(column => sql.ref(column)))
  await sql`
    insert into ${sql.table(name)} (${listed}) overriding system value
    select ${listed} from json_populate_recordset(null::${sql.table(name)}, ${`[${lines.join(',')}]`}::json)`.execute(
    tx
  )
}
