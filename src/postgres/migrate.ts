import { type Kysely, Migrator, sql } from 'kysely'
import { migrations } from '../../migrations/index.js'
import type { Db, Schema } from './schema.js'
import { acrossSession } from './scope.js'
import { settleRowSecurity } from './row-security.js'
import { settleRestored } from './restored-dump.js'

/** An advisory lock. One process migrates a database at a time. The others wait, and then have nothing to do. */
const LOCK = 7_261_001

/** The oldest supported PostgreSQL. */
const OLDEST_SERVER = 15

/** A sentence for the operator: this program cannot use or migrate the database. */
export class MigrationError extends Error {}

export interface MigrationStatus {
  name: string
  applied: boolean
}

async function appliedNames(db: Kysely<Schema>): Promise<string[]> {
  const {
    rows: [table]
  } = await sql<{ there: boolean }>`select to_regclass('kysely_migration') is not null as there`.execute(db)
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
 */
export async function up(db: Db, login?: string): Promise<string[]> {
  return migrate(
    db,
    migrator => migrator.migrateToLatest(),
    async connection => {
      await settleRestored(connection)
      await settleRowSecurity(connection, login)
    }
  )
}

/** Reverts the last migration; the data in its tables is lost. @returns its name, or nothing */
export async function down(db: Db): Promise<string[]> {
  return migrate(db, migrator => migrator.migrateDown())
}

/** @param after runs each time, also if there was nothing to migrate */
async function migrate(
  db: Db,
  run: (migrator: Migrator) => ReturnType<Migrator['migrateToLatest']>,
  after: (db: Db) => Promise<unknown> = async () => {}
): Promise<string[]> {
  return db.connection().execute(async connection => {
    await requireServer(connection)
    await sql`select pg_advisory_lock(${LOCK})`.execute(connection)
    try {
      await status(connection)
      // Policies hold for the owner too, unless the owner is a superuser.
      await acrossSession(connection)
      const migrator = new Migrator({ db: connection, provider: { getMigrations: async () => migrations } })
      const { error, results } = await run(migrator)
      if (error !== undefined) {
        const failed = results?.find(result => result.status === 'Error')?.migrationName
        throw new MigrationError(`The migration ${failed ?? ''} failed and was taken back${reason(error)}.`, {
          cause: error
        })
      }
      await after(connection)
      return (results ?? []).map(result => result.migrationName)
    } finally {
      await sql`select pg_advisory_unlock(${LOCK})`.execute(connection).catch(() => {})
    }
  })
}

function reason(error: unknown): string {
  const code = (error as { code?: unknown }).code
  if (code === '42501')
    return ': the database user lacks a right (to create tables, or the extension pg_trgm unless that is there already)'
  if (code === '0A000' || code === '58P01')
    return ': the extension pg_trgm is not installed on the server (Debian: postgresql-contrib)'
  return error instanceof Error ? `: ${error.message}` : ''
}

async function requireServer(db: Db): Promise<void> {
  const { rows } = await sql<{
    version: number
  }>`select current_setting('server_version_num')::int / 10000 as version`.execute(db)
  const version = rows[0]?.version ?? 0
  if (version < OLDEST_SERVER)
    throw new MigrationError(`The database server is PostgreSQL ${version}; ${OLDEST_SERVER} or later is needed.`)
}
