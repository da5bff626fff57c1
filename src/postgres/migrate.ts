import { type Migration, type Migrator, sql } from 'kysely'
import { migrations, wholeMigrations } from '../../migrations/index.js'
import { UnfitDatabase } from './faults.js'
import { FailedMigration, migratorWithin, ran } from './migrator.js'
import { buildIndex, isLockFault, patiently } from './online.js'
import { type Place, requireFit } from './requirements.js'
import { settleRestored } from './restored-dump.js'
import { settleRowSecurity } from './row-security.js'
import type { Db } from './schema.js'
import { makeRole } from './service-role.js'

/** An advisory lock. One process migrates a database at a time. The others wait, and then have nothing to do. */
const LOCK = 7_261_001

/** A table that is there while the restore of a backup is not finished. */
export const UNFINISHED_RESTORE = 'backup_restored'

/** A sentence for the operator: this program cannot use or migrate the database. */
export class MigrationError extends Error {}

export interface MigrationStatus {
  name: string
  applied: boolean
}

/** The migrations that the database has, in their order; none: it has no tables of the service. */
export async function appliedNames(db: Db): Promise<string[]> {
  const {
    rows: [table]
  } = await sql<{ there: boolean }>`
    select exists (select from pg_class where relname = 'kysely_migration'
                     and relnamespace = current_schema()::regnamespace) as there`.execute(db)
  if (table?.there !== true) return []
  return (await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)).rows.map(
    row => row.name
  )
}

/**
 * Every migration of this program, and whether the database has it.
 * @throws MigrationError if the database is newer than the program
 */
export async function status(db: Db): Promise<MigrationStatus[]> {
  const applied = await appliedNames(db)
  const unknown = applied.filter(name => !(name in migrations))
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database is newer than this program: it has the migration ${unknown.join(', ')}, ` +
        'which this version does not know. Run the version that made it, or a later one.'
    )
  }
  return Object.keys(migrations).map(name => ({ name, applied: applied.includes(name) }))
}

/**
 * Whether the database has all migrations of this program. A newer database counts as current: during a deploy two
 * releases run side by side.
 */
export async function isCurrent(db: Db): Promise<boolean> {
  const applied = new Set(await appliedNames(db))
  return Object.keys(migrations).every(name => applied.has(name))
}

/**
 * Applies the missing migrations, repairs the rows of a restored dump, and sees to row-level security. `db` must have
 * no statement time-out: it may wait for another process, and migrations may take long.
 * @param login the service's login, if it is not the owner who migrates
 * @returns the names of the migrations applied now
 * @throws MigrationError, and then nothing has changed but what the migrations before the failed one did
 */
export async function up(db: Db, login?: string): Promise<string[]> {
  const place = await fitPlace(db, login)
  const role = login ?? (await makeRole(db))
  const applied: string[] = []
  let next: string | undefined
  do {
    if (next !== undefined) await prepare(db, place, next)
    const prepared = next
    const done = await migrate(db, place, async (tx, migratorOf) => {
      await refuseUnfinished(tx)
      const names = await step(tx, migratorOf, prepared)
      await settleRowSecurity(tx, role)
      return { names, next: await nextName(tx) }
    })
    applied.push(...done.names)
    next = done.next
  } while (next !== undefined)
  await settleRestored(db)
  return applied
}

/**
 * A database without tables is nobody's yet, and gets all migrations at once. Else each has a transaction of its own,
 * so that none holds its locks while the next one works. It is applied if it has been prepared and is still the next:
 * another process may have been faster.
 */
async function step(tx: Db, migratorOf: MigratorOf, prepared: string | undefined): Promise<string[]> {
  const missing = await nextName(tx)
  if (missing === Object.keys(migrations)[0]) return ran(migratorOf(wholeMigrations).migrateToLatest())
  return missing !== undefined && missing === prepared ? ran(migratorOf(migrations).migrateUp()) : []
}

/** The first migration that is missing. */
async function nextName(tx: Db): Promise<string | undefined> {
  return (await status(tx)).find(({ applied }) => !applied)?.name
}

/** Makes what a migration needs and what takes long, while others read and write. */
async function prepare(db: Db, { schema, search_path }: Place, name: string): Promise<void> {
  for (const each of migrations[name]?.before ?? []) {
    try {
      if ('index' in each) await buildIndex(db, schema, each)
      else await locking(db, search_path, tx => sql.raw(each.statement).execute(tx))
    } catch (error) {
      throw failed(`What the migration ${name} needs could not be made`, error)
    }
  }
}

/** @throws MigrationError if only a part of a backup is there: what is written then would stand between its rows */
async function refuseUnfinished(tx: Db): Promise<void> {
  const { rows } = await sql<{ is: boolean }>`select to_regclass(${UNFINISHED_RESTORE}) is not null as is`.execute(tx)
  if (rows[0]?.is === true)
    throw new MigrationError(
      'The restore of a backup is not finished in this database. If it was broken off, run the command "backup ' +
        'restore" with the same file again.'
    )
}

/**
 * Applies the migrations up to this one, for rows that were stored then. @returns whether there is one of that name
 * @throws MigrationError, and then nothing has changed
 */
export async function upTo(db: Db, name: string): Promise<boolean> {
  if (!(name in migrations)) return false
  await migrate(db, await fitPlace(db), async (_tx, migratorOf) => ran(migratorOf(wholeMigrations).migrateTo(name)))
  return true
}

/** Reverts the last migration; the data in its tables is lost. @returns its name, or nothing */
export async function down(db: Db): Promise<string[]> {
  return migrate(db, await fitPlace(db), (_tx, migratorOf) => ran(migratorOf(migrations).migrateDown()))
}

/** @throws MigrationError if the database is not fit */
async function fitPlace(db: Db, login?: string): Promise<Place> {
  try {
    return await requireFit(db, login)
  } catch (error) {
    if (error instanceof UnfitDatabase) throw new MigrationError(error.message)
    throw error
  }
}

type MigratorOf = (of: Record<string, Migration>) => Migrator

/**
 * One transaction has it all: the lock, the path and each change. So nothing is left of what fails, and nothing stays
 * on a connection that a pooler lends to others next.
 */
async function migrate<T>(
  db: Db,
  { schema, search_path }: Place,
  run: (tx: Db, migratorOf: MigratorOf) => Promise<T>
): Promise<T> {
  return locking(db, search_path, async tx => {
    await status(tx)
    return run(tx, of => migratorWithin(tx, of, schema))
  }).catch((error: unknown) => {
    if (error instanceof FailedMigration) throw failed(`${error.message} failed and was taken back`, error.cause)
    throw isLockFault(error) ? failed('Migrating the database failed and was taken back', error) : error
  })
}

/** Runs a transaction as the only process that changes tables. It gives way to those who use them. */
async function locking<T>(db: Db, search_path: string, run: (tx: Db) => Promise<T>): Promise<T> {
  return patiently(lock_ms =>
    db.transaction().execute(async tx => {
      await sql`select set_config('search_path', ${search_path}, true)`.execute(tx)
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx)
      await sql`select set_config('lock_timeout', ${`${lock_ms}ms`}, true)`.execute(tx)
      return run(tx)
    })
  )
}

function failed(what: string, cause: unknown): MigrationError {
  const why = isLockFault(cause)
    ? ': a transaction uses the tables for long, such as a backup. Try again when it has ended'
    : reason(cause)
  return new MigrationError(`${what}${why}.`, { cause })
}

function reason(error: unknown): string {
  const { code } = error as { code?: unknown }
  if (code === '42501') return `: the database user lacks a right (${(error as Error).message})`
  return error instanceof Error ? `: ${error.message}` : ''
}
