import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely'
import type pg from 'pg'
import { ConnectError, neverRan, preparationFault, ReadOnlyServer } from './faults.js'
import type { GuardedPool } from './guarded-pool.js'
import type { PrefixStatement } from './pg-internals.js'
import { type Installation, type Manner } from './installation.js'
import { repeated } from './repeated.js'
import { type Plan, type PlannedStatement, statementOf } from './planned-query.js'
import { type ScopePrefixes, scopePrefixes } from './scope-prefix.js'

/**
 * Connections that set the role and the workspace before what they run. Both are set in the same round trip and for one
 * transaction only: the next transaction on the connection, behind a pooler perhaps another process's, has neither.
 */

/** How a connection runs a statement; tests put another one in its place. */
export type RunStatement = (
  client: pg.PoolClient,
  prefix: readonly PrefixStatement[],
  statement: PlannedStatement
) => Promise<pg.QueryResult>

export interface ScopedPool {
  connections: GuardedPool
  installation: Installation
  run: RunStatement
}

/** What Kysely calls to run SQL for one workspace. */
export class ScopedDriver implements Driver {
  /** The texts are made once for each role and manner: they are needed for every statement. */
  private prefixes = new Map<Manner, ScopePrefixes>()
  private role: string | undefined

  constructor(
    readonly pool: ScopedPool,
    private readonly scope: string
  ) {}

  /** What is sent before a statement on this connection. */
  prefixFor(client: pg.PoolClient): ScopePrefixes {
    const { role, as_service } = this.pool.installation
    const manner = this.pool.installation.mannerOf(client)
    if (role !== this.role) this.prefixes = new Map()
    this.role = role
    let prefixes = this.prefixes.get(manner)
    if (prefixes === undefined) {
      prefixes = scopePrefixes({ role, scope: this.scope, manner, refuses_read_only: as_service })
      this.prefixes.set(manner, prefixes)
    }
    return prefixes
  }

  /** Runs one statement by itself, without Kysely. */
  async run(statement: PlannedStatement): Promise<pg.QueryResult> {
    const connection = await this.acquireConnection()
    try {
      return await connection.run(statement)
    } finally {
      connection.release()
    }
  }

  /** @throws ConnectError; or the pool's own error if all connections are busy */
  async acquireConnection(): Promise<ScopedConnection> {
    return new ScopedConnection(this, await takeClient(this.pool))
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ;(connection as ScopedConnection).release()
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await (connection as ScopedConnection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as ScopedConnection).end('commit')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as ScopedConnection).end('rollback')
  }

  async init(): Promise<void> {}

  /** Nothing: whoever opened the pool closes it. */
  async destroy(): Promise<void> {}
}

const NO_PREFIX: readonly PrefixStatement[] = []

class ScopedConnection implements DatabaseConnection {
  private inTransaction = false
  /** The last fault. The pool decides by it whether the connection can be used again. */
  private fault: unknown

  /** Undefined after it was given back. */
  private client: pg.PoolClient | undefined

  constructor(
    private readonly driver: ScopedDriver,
    client: pg.PoolClient
  ) {
    this.client = client
  }

  release(): void {
    if (this.client === undefined) return
    const { client, fault } = this
    this.client = undefined
    this.fault = undefined
    this.driver.pool.connections.giveBack(client, fault)
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.run(statementOf(query))
    return {
      rows: rows as R[],
      numAffectedRows: command === 'SELECT' || rowCount === null ? undefined : BigInt(rowCount)
    }
  }

  streamQuery(): never {
    throw new Error('Rows are not streamed.')
  }

  async run(statement: PlannedStatement): Promise<pg.QueryResult> {
    try {
      if (this.inTransaction) return await this.send(NO_PREFIX, statement)
      return await repeated(() => this.runAlone(statement))
    } catch (error) {
      // The fault was made where the socket is read. A reader of the log needs to know who asked.
      if (error instanceof Error) Error.captureStackTrace(error)
      throw error
    }
  }

  private async runAlone(statement: PlannedStatement): Promise<pg.QueryResult> {
    if (!this.manner.ownTransaction)
      return this.sendOutsideTransaction(prefixes => [prefixes.of(statement.plan), statement])
    await this.begin({}, statement.plan)
    try {
      const result = await this.send(NO_PREFIX, statement)
      await this.end('commit')
      return result
    } catch (error) {
      await this.end('rollback').catch(() => {})
      this.fault = error
      throw error
    }
  }

  private get manner(): Manner {
    return this.driver.pool.installation.mannerOf(this.client as pg.PoolClient)
  }

  /** Begins a transaction, and sets role, workspace and what a plan needs for all of it. */
  async begin({ isolationLevel = 'read committed', accessMode }: TransactionSettings, plan?: Plan): Promise<void> {
    // The level is always named: a pooler may hand out a connection that has not been told the session settings.
    const text = `begin isolation level ${isolationLevel}${accessMode === undefined ? '' : ` ${accessMode}`}`
    try {
      const { rows } = await this.sendOutsideTransaction(prefixes => [[{ text }], prefixes.inTransaction(plan)])
      const [row] = rows as Array<{ read_only: string }>
      if (row?.read_only === 'on' && this.driver.pool.installation.as_service) throw new ReadOnlyServer()
    } catch (error) {
      this.fault = preparationFault(error as Error)
      throw this.fault
    }
    this.inTransaction = true
  }

  async end(text: 'commit' | 'rollback'): Promise<void> {
    // Also a commit that fails ends the transaction.
    this.inTransaction = false
    await this.send(NO_PREFIX, { text })
  }

  /** Sends a statement outside a transaction. If the connection had ended before, sends it on another one. */
  private async sendOutsideTransaction(
    of: (prefixes: ScopePrefixes) => [prefix: readonly PrefixStatement[], statement: PlannedStatement]
  ): Promise<pg.QueryResult> {
    const send = () => this.send(...of(this.driver.prefixFor(this.client as pg.PoolClient)))
    try {
      return await send()
    } catch (error) {
      if (!neverRan(error)) throw error
      // First the old one goes back: the new one may need its place in the pool.
      this.release()
      this.client = await takeClient(this.driver.pool)
      return send()
    }
  }

  private async send(prefix: readonly PrefixStatement[], statement: PlannedStatement): Promise<pg.QueryResult> {
    const { named } = this.manner
    try {
      return await this.driver.pool.run(
        this.client as pg.PoolClient,
        prefix,
        named ? statement : { ...statement, name: undefined }
      )
    } catch (error) {
      this.fault = error
      throw error
    }
  }
}

/** A connection that is prepared: usually it is so since it connected. */
async function takeClient({ connections, installation }: ScopedPool): Promise<pg.PoolClient> {
  const client = await connections.take()
  if (installation.isSettled(client)) return client
  try {
    await installation.prepare(client)
    return client
  } catch (error) {
    const fault = new ConnectError(error)
    connections.giveBack(client, fault)
    throw fault
  }
}
