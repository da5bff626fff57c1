import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely'
import type { GuardedPool } from './guarded-pool.js'
import type { Installation } from './installation.js'
import { queryWithPrefix } from './pg-internals.js'
import type { Db, Schema } from './schema.js'
import type { RunStatement, ScopedPool } from './scoped-connection.js'
import { ScopedDriver } from './scoped-driver.js'
import { repeated } from './repeated.js'

/**
 * For which workspace SQL runs. Every query filters by workspace. Row-level security enforces the same filter again
 * (row-security.ts), so a query that forgets its filter finds nothing of another workspace. The workspace is sent with
 * every statement (scoped-connection.ts).
 */

/** Every workspace. No workspace has this name. */
const ACROSS = '*'
/** No workspace, because the caller is not known yet. */
const NOBODY = ''

/** A new Kysely takes some microseconds. Keeping these spares making one for each call. */
const KEPT_MAX = 1000

let scoped: (database: Unscoped, scope: string) => Db

/** The database before a workspace is named. Only what `inWorkspace` and `acrossWorkspaces` return can be queried. */
class Unscoped {
  readonly #pool: ScopedPool
  readonly #kept = new Map<string, Db>()

  constructor(pool: ScopedPool) {
    this.#pool = pool
  }

  #scoped(scope: string): Db {
    let db = this.#kept.get(scope)
    if (db === undefined) {
      const driver = new ScopedDriver(this.#pool, scope)
      db = new Kysely<Schema>({
        dialect: {
          createDriver: () => driver,
          createAdapter: () => new PostgresAdapter(),
          createQueryCompiler: () => new PostgresQueryCompiler(),
          createIntrospector: of => new PostgresIntrospector(of)
        }
      })
      drivers.set(db, driver)
      databases.set(db, this)
      const oldest = this.#kept.keys().next()
      if (this.#kept.size >= KEPT_MAX && oldest.done !== true) this.#kept.delete(oldest.value)
      this.#kept.set(scope, db)
    }
    return db
  }

  static {
    // Only this file can name a scope.
    scoped = (database, scope) => database.#scoped(scope)
  }
}
export type { Unscoped }

const drivers = new WeakMap<Db, ScopedDriver>()
const databases = new WeakMap<Db, Unscoped>()

/** @param run how a statement is run, for tests */
export function unscoped(
  connections: GuardedPool,
  installation: Installation,
  run: RunStatement = queryWithPrefix
): Unscoped {
  return new Unscoped({ connections, installation, run })
}

/** What SQL for a workspace runs on. Undefined: the caller is not known, and there are no rows. */
export function inWorkspace(database: Unscoped, workspace: string | undefined): Db {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  return scoped(database, workspace ?? NOBODY)
}

/**
 * What SQL for all workspaces runs on: background work, and finding out who calls. What answers a caller runs in the
 * caller's workspace. (test/postgres/row-security/workspaces.test.ts lists the places that call this.)
 */
export function acrossWorkspaces(database: Unscoped): Db {
  return scoped(database, ACROSS)
}

/** The driver of what `inWorkspace` and `acrossWorkspaces` return; undefined for a transaction. */
export function driverOf(db: Db): ScopedDriver | undefined {
  return drivers.get(db)
}

/** The same object for all workspaces of one database: a key for what is remembered of the database. */
export function databaseOf(db: Db): object {
  return databases.get(db) ?? db
}

/**
 * Runs a transaction, and runs it again from its beginning if PostgreSQL took it back because others wrote at the same
 * time.
 * @param work must have no effect but what it writes to `tx`
 */
export async function transact<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return repeated(() => db.transaction().execute(work))
}

/** Reads as of one moment: what commits meanwhile is not seen. @param work only reads */
export async function inSnapshot<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  // Not as `read only`: a server that says so is taken for a standby (scope-prefix.ts).
  return db.transaction().setIsolationLevel('repeatable read').execute(work)
}

/** From here on a transaction is for that workspace: for code that finds out only in the transaction who calls. */
export async function enterWorkspace(tx: Db, workspace: string): Promise<void> {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  await setScope(tx, workspace)
}

/** Runs a part of a transaction across workspaces, then goes back to the workspace before. */
export async function acrossWorkspacesIn<T>(tx: Db, work: () => Promise<T>): Promise<T> {
  const {
    rows: [row]
  } = await sql<{ scope: string }>`select current_setting('scs.workspace', true) as scope`.execute(tx)
  await setScope(tx, ACROSS)
  const result = await work()
  await setScope(tx, row?.scope ?? NOBODY)
  return result
}

async function setScope(tx: Db, scope: string): Promise<void> {
  await sql`select set_config('scs.workspace', ${scope}, true)`.execute(tx)
}
