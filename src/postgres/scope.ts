import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, PostgresDialect, type PostgresPool, sql } from 'kysely'
import pg from 'pg'
import { ConnectError, isSerializationFault, neverRan, preparationFault, ReadOnlyServer } from './faults.js'
import type { GuardedPool } from './guarded-pool.js'
import type { Db, Schema } from './schema.js'
import { queryAfter, type Statement } from './preceded-query.js'
import { asLogin, type Roles } from './service-role.js'
import { isPlannedOnce, statementName } from './statement-name.js'

/**
 * For which workspace SQL runs. The database shows rows of that workspace alone (row-level security, service-role.ts),
 * so that a statement without its condition finds nothing of a neighbour's.
 *
 * It is told with every statement, in the same round trip and for that transaction only: the next transaction on a
 * connection, be it ours or a pooler's, knows nothing of it. So it is told the role, where that is not the one that has
 * logged in.
 */

/** The database before it is said for whom: nothing can be asked of it. */
export interface Unscoped {
  readonly [unscopedMark]: true
}

declare const unscopedMark: unique symbol

/** Every workspace; no workspace is called so. */
const ACROSS = '*'
/** Nobody is known yet: no workspace. */
const NOBODY = ''

/** How a statement is run on a connection, with what has to be told before it. */
export type RunStatement = (
  client: pg.PoolClient,
  before: readonly Statement[],
  statement: Statement
) => Promise<pg.QueryResult>

interface ScopedPool {
  connections: GuardedPool
  roles: Roles
  run: RunStatement
  handles: Map<string, Db>
}

/** Handles kept; one more is made quickly, so this only spares making them for each call. */
const HANDLES_MAX = 1000

export function unscoped(connections: GuardedPool, roles: Roles = asLogin, run: RunStatement = queryAfter): Unscoped {
  return { connections, roles, run, handles: new Map() } satisfies ScopedPool as unknown as Unscoped
}

function poolOf(database: Unscoped): ScopedPool {
  return database as unknown as ScopedPool
}

/** What SQL for a workspace runs on; undefined: nobody is known, and nothing is there. */
export function inWorkspace(database: Unscoped, workspace: string | undefined): Db {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  return handle(database, workspace ?? NOBODY)
}

/**
 * What SQL for all workspaces runs on: background work, and looking up who calls. Whatever answers a caller runs in its
 * workspace. (test/postgres/row-security/workspaces.test.ts has the list of the places.)
 */
export function acrossWorkspaces(database: Unscoped): Db {
  return handle(database, ACROSS)
}

function handle(database: Unscoped, scope: string): Db {
  const of = poolOf(database)
  let db = of.handles.get(scope)
  if (db === undefined) {
    db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: scopedPool(of, scope) }) })
    databases.set(db, database)
    const oldest = of.handles.keys().next()
    if (of.handles.size >= HANDLES_MAX && oldest.done !== true) of.handles.delete(oldest.value)
    of.handles.set(scope, db)
  }
  return db
}

const databases = new WeakMap<Db, Unscoped>()

/** What is the same for all handles of one database. */
export function databaseOf(db: Db): object {
  return databases.get(db) ?? db
}

/** A statement by itself, prepared under its name. Repeated where PostgreSQL took it back for another's sake. */
export async function prepared<R extends pg.QueryResultRow>(
  database: Unscoped,
  workspace: string,
  statement: Statement & { name: string }
): Promise<R[]> {
  const connection = await ScopedConnection.open(poolOf(database), workspace)
  try {
    return (await connection.runAlone(statement)).rows as R[]
  } finally {
    connection.release()
  }
}

/**
 * How often something is run that PostgreSQL takes back because others write at the same time; and milliseconds
 * between, growing.
 */
const TRIES_MAX = 6
const RETRY_MS = 5

/**
 * Runs a transaction, from its beginning again where PostgreSQL took it back because others wrote at the same time.
 * @param work must have no effect but what it writes to `tx`
 */
export async function transact<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return repeated(() => db.transaction().execute(work))
}

async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === TRIES_MAX || !isSerializationFault(error)) throw error
      await sleep(RETRY_MS * 2 ** tries * Math.random())
    }
  }
}

/** One connection, taken from the pool for a while, that tells PostgreSQL role and workspace before what it runs. */
class ScopedConnection {
  private readonly pool: ScopedPool
  private readonly scope: string
  private client: pg.PoolClient
  private begun = false
  /** The last thing that went wrong. */
  private fault: unknown

  private constructor(pool: ScopedPool, scope: string, client: pg.PoolClient) {
    this.pool = pool
    this.scope = scope
    this.client = client
  }

  /** @throws ConnectError, or the pool's own error where all connections are busy */
  static async open(pool: ScopedPool, scope: string): Promise<ScopedConnection> {
    return new ScopedConnection(pool, scope, await takeClient(pool))
  }

  release(): void {
    this.pool.connections.giveBack(this.client, this.fault)
  }

  async query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    const statement = { name: statementName(text), text, values }
    if (this.begun) {
      // A commit ends the transaction whether or not it succeeds.
      if (text === 'commit' || text === 'rollback') this.begun = false
      return this.noting(() => this.pool.run(this.client, [], statement))
    }
    return /^(begin|start transaction)\b/.test(text) ? this.begin(text) : this.runAlone(statement)
  }

  /** A statement that is a transaction by itself. */
  async runAlone(statement: Statement): Promise<pg.QueryResult> {
    const before = [scopeStatement(this.pool.roles.role, this.scope, isPlannedOnce(statement.text))]
    return repeated(() => this.reconnecting(() => this.pool.run(this.client, before, statement)))
  }

  /** A transaction is told role and workspace once, with its beginning. */
  private async begin(given: string): Promise<pg.QueryResult> {
    // A pooler may hand out a connection that has not been told the level.
    const text = given === 'begin' ? 'begin isolation level read committed' : given
    const scope = scopeStatement(this.pool.roles.role, this.scope)
    const result = await this.reconnecting(async () => {
      const result = await this.pool.run(this.client, [{ text }], scope).catch((error: unknown) => {
        throw preparationFault(error as Error)
      })
      const refusal = scope.check(Object.values(result.rows[0] as Record<string, string>))
      if (refusal !== undefined) throw refusal
      return result
    })
    this.begun = true
    return result
  }

  /** Runs something that no transaction holds; on another connection if this one had been ended before. */
  private async reconnecting<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await this.noting(run)
    } catch (error) {
      if (!neverRan(error)) throw error
      const { client, fault } = this
      // First the new one: if there is none, `release` gives the old one back.
      this.client = await takeClient(this.pool)
      this.fault = undefined
      this.pool.connections.giveBack(client, fault)
      return this.noting(run)
    }
  }

  private async noting<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      this.fault = error
      throw error
    }
  }
}

/** A connection, of which it is known as whom it works. */
async function takeClient({ connections, roles }: ScopedPool): Promise<pg.PoolClient> {
  const client = await connections.take()
  if (roles.known) return client
  try {
    await roles.find(client)
    return client
  } catch (error) {
    const fault = new ConnectError(error)
    connections.giveBack(client, fault)
    throw fault
  }
}

/** What Kysely takes for a pool of pg. */
function scopedPool(of: ScopedPool, scope: string): PostgresPool {
  return {
    connect: () => ScopedConnection.open(of, scope) as unknown as ReturnType<PostgresPool['connect']>,
    // The pool is closed by whoever opened it.
    async end() {}
  }
}

/** Index of the column that says whether the server is read-only: the last one. */
const READ_ONLY_COLUMN = -1

/**
 * Tells PostgreSQL role and workspace for one transaction, and asks whether the server may be written to: nothing may
 * be read from one that may not, since its data may be out of date.
 * @param planned_once for a statement alone: that its plan be one for all values
 */
function scopeStatement(role: string | undefined, scope: string, planned_once = false): Required<Statement> {
  const columns = [
    ...(role === undefined ? [] : [`set_config('role', ${pg.escapeLiteral(role)}, true) as role`]),
    "set_config('scs.workspace', $1, true) as workspace",
    ...(planned_once ? ["set_config('plan_cache_mode', 'force_generic_plan', true) as plan"] : []),
    "current_setting('transaction_read_only') as read_only"
  ]
  return {
    name: planned_once ? 'scs.scope.once' : 'scs.scope',
    text: `select ${columns.join(', ')}`,
    values: [scope],
    check: row => (row.at(READ_ONLY_COLUMN) === 'on' ? new ReadOnlyServer() : undefined)
  }
}

/** Everything on the one connection of a command that the owner runs is for all workspaces. */
export async function acrossSession(db: Db): Promise<void> {
  await sql`select set_config('scs.workspace', ${ACROSS}, false)`.execute(db)
}

/** From here on a transaction is for that workspace: for what learns only on its way who calls. */
export async function enterWorkspace(tx: Db, workspace: string): Promise<void> {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  await tell(tx, workspace)
}

/** Runs something of a transaction across workspaces, then goes back to where it was. */
export async function acrossWorkspacesIn<T>(tx: Db, work: () => Promise<T>): Promise<T> {
  const {
    rows: [row]
  } = await sql<{ scope: string }>`select current_setting('scs.workspace', true) as scope`.execute(tx)
  await tell(tx, ACROSS)
  const result = await work()
  await tell(tx, row?.scope ?? NOBODY)
  return result
}

async function tell(tx: Db, scope: string): Promise<void> {
  await sql`select set_config('scs.workspace', ${scope}, true)`.execute(tx)
}
