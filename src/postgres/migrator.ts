import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type Migration,
  Migrator,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler
} from 'kysely'
import type { Db } from './schema.js'

/** Kysely's migrator, for use within a transaction that has begun. */

/** @param schema of its table: other programs of the same database may have one of that name too */
export function migratorWithin(tx: Db, migrations: Record<string, Migration>, schema: string): Migrator {
  return new Migrator({
    db: within(tx),
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: schema
  })
}

/** Kysely does not throw what a migration throws. */
export class FailedMigration extends Error {
  readonly code: unknown
  constructor(what: string, cause: unknown) {
    super(what, { cause })
    this.code = (cause as { code?: unknown } | undefined)?.code
  }
}

/** @returns the names of the migrations that ran. @throws FailedMigration */
export async function ran(running: ReturnType<Migrator['migrateToLatest']>): Promise<string[]> {
  const { error, results = [] } = await running
  if (error === undefined) return results.map(({ migrationName }) => migrationName)
  const name = results.find(({ status }) => status === 'Error')?.migrationName
  throw new FailedMigration(name === undefined ? 'Migrating the database' : `The migration ${name}`, error)
}

/** The migrator takes a lock of its own, which would stay on the connection. Ours is taken already. */
class LockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

/** A database whose statements all run in this transaction: Kysely's migrator wants to begin one by itself. */
function within(tx: Db): Kysely<unknown> {
  const connection: DatabaseConnection = {
    executeQuery: <R>(query: CompiledQuery) => tx.executeQuery<R>(query),
    streamQuery() {
      throw new Error('Rows are not streamed.')
    }
  }
  const nothing = async () => {}
  return new Kysely({
    dialect: {
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        beginTransaction: nothing,
        commitTransaction: nothing,
        rollbackTransaction: nothing,
        releaseConnection: nothing,
        destroy: nothing
      }),
      createAdapter: () => new LockedAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: of => new PostgresIntrospector(of)
    }
  })
}
