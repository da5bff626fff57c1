import { type Kysely, Migrator, sql } from 'kysely'
import { migrations } from '../../migrations/index.js'
import type { Db, Schema } from './schema.js'
import { acrossSession } from './scope.js'
import { settleRowSecurity } from './row-security.js'
import { settleRestored } from './restored-dump.js'

/** One migrating process in a database at a time; the others wait, then find nothing left to do. */
const LOCK = 7_261_001

/** Oldest PostgreSQL that is supported. */
const OLDEST_SERVER = 15

/** A sentence for the operator: the program and the database do not fit each other. */
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
 * Every migration of this program and whether the database has it. @throws MigrationError for a database newer than the
 * program
 */
export async function status(db: Db): Promise<MigrationStatus[]> {
  const applied = await appliedNames(db)
  const unknown = applied.filter(name => !(name in migrations))
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database is newer than this program: it has the migration ${unknown.join(', ')}, which this version does not know. Run the version that made it, or a later one.`
    )
  }
  return Object.keys(migrations).map(name => ({ name, applied: applied.includes(name) }))
}

/**
 * Whether all migrations of this program are applied, for readiness. A database that has become newer meanwhile counts
 * as current: during a deploy the releases run side by side.
 */
export async function isCurrent(db: Db): Promise<boolean> {
  const applied = new Set(await appliedNames(db))
  return Object.keys(migrations).every(name => applied.has(name))
}

/**
 * Applies what is missing, mends what a restored dump brought with it, and sees to the walls between workspaces. `db`
 * must have no statement time-out: it may wait for others, and migrations may be long.
 * @param login who the service logs in as, where that is somebody else
 * @returns the names applied now
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

/** Takes the last migration back, with the data in what it made. @returns its name, or nothing */
export async function down(db: Db): Promise<string[]> {
  return migrate(db, migrator => migrator.migrateDown())
}

/** @param after what is looked at each time, whether or not there was something to do */
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
      // Policies hold for the owner too, unless it is a superuser.
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
    return ': the database user lacks a right (it needs to create tables, and the extension pg_trgm unless that is there already)'
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
