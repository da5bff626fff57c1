import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { BackupFault, type Event, eventsOf, type Header, partName } from '../backup/backup-file.js'
import { differences } from '../backup/compare-backup.js'
import { readLines, writeLines } from '../backup/compressed-lines.js'
import { backupLines } from '../backup/create-backup.js'
import { alone, serviceOn } from '../backup/restore-alone.js'
import { restore, unfinishedRestore } from '../backup/restore-backup.js'
import { tablesOf, tableWithRows } from '../backup/tables.js'
import { isConnectionFault } from '../postgres/faults.js'
import { appliedNames, upTo } from '../postgres/migrate.js'
import type { Db } from '../postgres/schema.js'
import { inSnapshot } from '../postgres/scope.js'
import { verb, type Verbs } from './command.js'
import { CommandError } from './failure.js'
import { migrateDatabase, openContext, withOwnerConnection } from './open.js'
import { notice, withDatabase } from './operator.js'
import { handleSignals } from './stop.js'
import { counted } from './table.js'

/** Backups of all that the database holds. Keys and secrets of the configuration are not in the database. */
export const verbs: Verbs = {
  create: verb({
    summary: 'Writes all that the database holds into a file, while the service may run. - is the standard output.',
    operands: ['<file>'],
    async run(_options, [file]) {
      await withDatabase(async db => {
        await inSnapshot(db, tx => writeTo(file, backupLines(tx)))
        notice(file === '-' ? 'The backup is complete.' : `The backup ${file} is complete. It holds all messages.`)
      })
    }
  }),
  restore: verb({
    summary:
      'Fills an empty database from a backup; - is the standard input. Stop the service before. A restore that was ' +
      'broken off goes on where it was.',
    operands: ['<file>'],
    async run(_options, [file]) {
      await reading(file, async (header, events) => {
        await intoDatabase(header, events)
        notice('The restore is complete. The service can start.')
      })
    }
  }),
  verify: verb({
    summary: 'Checks that a backup is complete and unchanged; - is the standard input.',
    operands: ['<file>'],
    options: { database: { type: 'boolean', description: 'and that the database holds the same rows' } },
    async run({ database }, [file]) {
      await reading(file, async ({ created_at, program, migration }, events) => {
        notice(`A backup of ${created_at}, by version ${program}.`)
        if (!database) return count(events)
        const found = await withDatabase(async db => {
          if ((await appliedNames(db)).at(-1) !== migration) throw new CommandError(OTHER_TABLES)
          return inSnapshot(db, tx => differences(tx, events))
        })
        if (found.length > 0) throw new CommandError(`The database differs.\n${found.join('\n')}`)
        console.log('The backup is complete, and the database holds the same rows.')
      })
    }
  })
}

const LOST = 'The connection to the database was lost. Run the same command again: it goes on where it was.'

const OTHER_TABLES =
  'The backup and the database have the tables of different versions: their rows cannot be compared. Without ' +
  '--database this command checks whether the backup is complete.'

/** The file appears when it is complete. Only its owner may read it: it holds everybody's messages. */
async function writeTo(file: string, lines: AsyncIterable<string>): Promise<void> {
  if (file === '-') return writeToOutput(lines)
  // Of its own name: two that write the same file at a time do not write into each other.
  const unfinished = `${file}.${randomUUID()}.unfinished`
  const remove = () => rmSync(unfinished, { force: true })
  process.once('exit', remove)
  const out = createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true })
  try {
    await writeLines(out, lines)
    await new Promise<void>((resolve, reject) => {
      out.on('error', reject)
      out.end(resolve)
    })
    await rename(unfinished, file)
  } catch (error) {
    out.destroy()
    remove()
    throw explained(file, error)
  } finally {
    process.off('exit', remove)
  }
}

/** Whoever reads it may end before it has everything, such as a connection to another machine: that is a failure. */
async function writeToOutput(lines: AsyncIterable<string>): Promise<void> {
  const fail = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') notice('The backup is not complete: nobody reads it any more.')
    process.exitCode = 1
  }
  process.stdout.prependListener('error', fail)
  await writeLines(process.stdout, lines).catch((error: unknown) => {
    throw explained('-', error)
  })
  process.stdout.off('error', fail)
}

async function reading(
  file: string,
  work: (header: Header, events: AsyncGenerator<Event>) => Promise<void>
): Promise<void> {
  const from: Readable = file === '-' ? process.stdin : createReadStream(file)
  try {
    const events = eventsOf(readLines(from))
    const first = await events.next()
    if (first.done === true || first.value.type !== 'backup') throw new BackupFault('The backup is empty.')
    await work(first.value.header, events)
  } catch (error) {
    throw error instanceof BackupFault ? new CommandError(error.message) : explained(file, error)
  } finally {
    from.destroy()
  }
}

function explained(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined || !/^(open|read|write|rename|close)$/.test(syscall)) return error
  return new CommandError(`The file ${file} cannot be ${syscall === 'read' ? 'read' : 'used'} (${code}).`)
}

async function count(events: AsyncIterable<Event>): Promise<void> {
  let [parts, rows] = [0, 0]
  for await (const event of events)
    if (event.type === 'end') {
      parts++
      rows += event.end.rows
    }
  console.log(`The backup is complete: ${counted(rows, 'row')} in ${counted(parts, 'part')}.`)
}

/**
 * Restores into a database that is empty, or in which this restore was broken off. It gets the migrations that the
 * backup's database had, then the rows, then this program's further migrations.
 */
async function intoDatabase(header: Header, events: AsyncGenerator<Event>): Promise<void> {
  const signals = handleSignals()
  const context = await openContext('join', notice)
  try {
    const connected = <T>(work: (db: Db) => Promise<T>) => withOwnerConnection(context, notice, signals, work)
    const done = await connected(locked =>
      alone(locked, () =>
        connected(async db => {
          signals.onStop(exit_code => {
            notice('Stopped. The same command goes on where it was.')
            void context.embedded?.close().finally(() => process.exit(exit_code))
            if (context.embedded === undefined) process.exit(exit_code)
          })
          const begun = await fitFor(db, header)
          if (begun) notice('Going on with the restore that was broken off.')
          await restore(db, events, header.id, (part, { rows }, stored) => {
            notice(`${stored ? 'Restored' : 'Already there:'} ${partName(part)}, ${counted(rows, 'row')}.`)
          }).catch((error: unknown) => {
            // What was read of the backup does not come again, so that this process cannot go on.
            throw isConnectionFault(error) ? new CommandError(LOST) : error
          })
        })
      )
    )
    if (!done) throw new CommandError('Another process restores a backup into this database right now.')
    await migrateDatabase(context, notice, signals)
  } finally {
    await context.embedded?.close()
  }
}

/** @returns whether this restore has begun before @throws CommandError if the database cannot take the backup */
async function fitFor(db: Db, header: Header): Promise<boolean> {
  const service = await serviceOn(db)
  if (service !== undefined)
    throw new CommandError(`The service ${service} uses this database. Stop it, and run the same command again.`)
  const applied = await appliedNames(db)
  const begun = applied.length === 0 ? undefined : await unfinishedRestore(db)
  if (begun === header.id) return true
  if (begun !== undefined)
    throw new CommandError('In this database the restore of another backup was broken off. Take an empty database.')
  const filled = applied.length === 0 ? undefined : await tableWithRows(db, await tablesOf(db))
  if (filled !== undefined)
    throw new CommandError(`The database is not empty: ${filled} has rows. Restore into an empty database.`)
  if ((applied.at(-1) ?? '') > header.migration)
    throw new CommandError(
      `The database has the tables of a later version than the backup. Take a database without tables; this program ` +
        `makes those of version ${header.program}, and brings them up to date afterwards.`
    )
  if (!(await upTo(db, header.migration)))
    throw new CommandError(`The backup is of a later version, ${header.program}. Restore it with that version.`)
  return false
}
