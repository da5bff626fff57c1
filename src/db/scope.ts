import { Kysely, PostgresDialect, type PostgresPool, sql } from 'kysely'
import pg from 'pg'
import type { Db, Schema } from './schema.js'
import { queryAfter, type Statement } from './scoped-query.js'
import { asLogin, type Roles } from './service-role.js'
import { isPlannedOnce, statementName } from './statement-name.js'

/**
 * For which workspace SQL runs. The database shows rows of that workspace alone (row-level security, service-role.ts), so that
 * a statement without its condition finds nothing of a neighbour's.
 *
 * It is told with every statement, in the same round trip and for that transaction only: the next transaction on a connection, be
 * it ours or a pooler's, knows nothing of it. So it is told the role, where that is not the one that has logged in.
 */

/** The database before it is said for whom: nothing can be asked of it. */
export interface Unscoped { readonly [unscopedMark]: true }

declare const unscopedMark: unique symbol

/** Every workspace; no workspace is called so. */
const ACROSS = '*'
/** Nobody is known yet: no workspace. */
const NOBODY = ''

/** A pool, or what stands before one. */
interface ConnectionSource { connect: () => Promise<pg.PoolClient> }

/** How a statement is run on a connection, with what has to be told before it. */
export type RunStatement = (client: pg.PoolClient, before: readonly Statement[], statement: Statement) => Promise<pg.QueryResult>

interface ScopedPool {
  connections: ConnectionSource
  roles: Roles
  run: RunStatement
  handles: Map<string, Db>
}

/** Handles kept; one more is made quickly, so this only spares making them for each call. */
const HANDLES_MAX = 1000

export function unscoped (connections: ConnectionSource, roles: Roles = asLogin, run: RunStatement = queryAfter): Unscoped {
  return { connections, roles, run, handles: new Map() } satisfies ScopedPool as unknown as Unscoped
}

function poolOf (database: Unscoped): ScopedPool {
  return database as unknown as ScopedPool
}

/** What SQL for a workspace runs on; undefined: nobody is known, and nothing is there. */
export function inWorkspace (database: Unscoped, workspace: string | undefined): Db {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  return handle(database, workspace ?? NOBODY)
}

/**
 * What SQL for all workspaces runs on: background work, and looking up who calls. Whatever answers a caller runs in its workspace.
 * (test/db/scope.test.ts has the list of the places.)
 */
export function acrossWorkspaces (database: Unscoped): Db {
  return handle(database, ACROSS)
}

function handle (database: Unscoped, scope: string): Db {
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
export function databaseOf (db: Db): object {
  return databases.get(db) ?? db
}

/** A statement by itself, prepared under its name. */
export async function prepared<R extends pg.QueryResultRow> (database: Unscoped, workspace: string, statement: Statement & { name: string }): Promise<R[]> {
  const of = poolOf(database)
  const client = await connection(of)
  let broken: Error | undefined
  try {
    return (await of.run(client, [telling(of.roles.role, workspace)], statement)).rows as R[]
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) broken = error as Error
    throw error
  } finally {
    client.release(broken)
  }
}

/** A connection, of which it is known as whom it works. */
async function connection ({ connections, roles }: ScopedPool): Promise<pg.PoolClient> {
  const client = await connections.connect()
  if (roles.known) return client
  try {
    await roles.find(client)
    return client
  } catch (error) {
    client.release(error as Error)
    throw error
  }
}

/** What Kysely takes for a pool of pg. A transaction is told once, with its beginning. */
function scopedPool (of: ScopedPool, scope: string): PostgresPool {
  return {
    async connect () {
      const client = await connection(of)
      const { run } = of
      const { role } = of.roles
      const tell = telling(role, scope)
      let begun = false
      return {
        async query (text: string, values: readonly unknown[]) {
          if (begun) {
            if (text === 'commit' || text === 'rollback') begun = false
            return run(client, [], { name: statementName(text), text, values })
          }
          if (!/^(begin|start transaction)\b/.test(text)) return run(client, [isPlannedOnce(text) ? telling(role, scope, true) : tell], { name: statementName(text), text, values })
          begun = true
          return run(client, [{ text }], tell)
        },
        release () { client.release() }
      } as unknown as Awaited<ReturnType<PostgresPool['connect']>>
    },
    // The pool is closed by whoever opened it.
    async end () {}
  }
}

/** @param planned_once for a statement alone: that its plan be one for all values */
function telling (role: string | undefined, scope: string, planned_once = false): Statement {
  const told = [
    ...role === undefined ? [] : [`set_config('role', ${pg.escapeLiteral(role)}, true)`],
    "set_config('scs.workspace', $1, true)",
    ...planned_once ? ["set_config('plan_cache_mode', 'force_generic_plan', true)"] : []
  ]
  return { name: planned_once ? 'scs.scope.once' : 'scs.scope', text: `select ${told.join(', ')}`, values: [scope] }
}

/** Everything on the one connection of a command that the owner runs is for all workspaces. */
export async function acrossSession (db: Db): Promise<void> {
  await sql`select set_config('scs.workspace', ${ACROSS}, false)`.execute(db)
}

/** From here on a transaction is for that workspace: for what learns only on its way who calls. */
export async function enterWorkspace (tx: Db, workspace: string): Promise<void> {
  if (workspace === ACROSS) throw new Error('No workspace is called *.')
  await tell(tx, workspace)
}

/** Runs something of a transaction across workspaces, then goes back to where it was. */
export async function widened<T> (tx: Db, work: () => Promise<T>): Promise<T> {
  const { rows: [row] } = await sql<{ scope: string }>`select current_setting('scs.workspace', true) as scope`.execute(tx)
  await tell(tx, ACROSS)
  const result = await work()
  await tell(tx, row?.scope ?? NOBODY)
  return result
}

async function tell (tx: Db, scope: string): Promise<void> {
  await sql`select set_config('scs.workspace', ${scope}, true)`.execute(tx)
}
