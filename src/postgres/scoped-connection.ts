import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from 'kysely'
import type pg from 'pg'
import { ConnectError, isConnectionFault, neverRan } from './faults.js'
import type { GuardedPool } from './guarded-pool.js'
import type { PrefixStatement } from './pg-internals.js'
import type { Installation } from './installation.js'
import { repeated } from './repeated.js'
import { type Plan, type PlannedStatement, statementOf } from './planned-query.js'
import type { ScopePrefixes } from './scope-prefix.js'
import { TransactionState } from './transaction-state.js'

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

/** What a connection has of the driver that it is of. */
export interface ConnectionDeps {
  pool: ScopedPool
  /** What is sent before a statement on this connection. */
  prefixFor: (client: pg.PoolClient) => ScopePrefixes
}

const NO_ANSWER: pg.QueryResult = { command: '', rowCount: null, oid: 0, rows: [], fields: [] }

export class ScopedConnection implements DatabaseConnection {
  private transaction: TransactionState | undefined
  /**
   * Whether Kysely has ended its transaction. A statement of the transaction that comes later would run outside of it,
   * and is refused. So on a connection that Kysely holds (`connection()`), only a transaction can follow a transaction.
   */
  private over = false
  /** The fault by which the pool decides whether the connection can be used again. */
  private fault: unknown
  /** Whether PostgreSQL has answered. */
  private answered = false

  /** Undefined after it was given back. */
  private client: pg.PoolClient | undefined

  private constructor(
    private readonly driver: ConnectionDeps,
    client: pg.PoolClient
  ) {
    this.client = client
  }

  /** @throws ConnectError; or the pool's own error if all connections are busy */
  static async take(driver: ConnectionDeps): Promise<ScopedConnection> {
    return new ScopedConnection(driver, await takeClient(driver.pool))
  }

  release(): void {
    if (this.client === undefined) return
    const { client, fault, answered } = this
    this.client = undefined
    this.fault = undefined
    this.answered = false
    this.driver.pool.connections.giveBack(client, fault, answered)
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
      if (this.over) throw overAlready()
      if (this.transaction !== undefined) return await this.sendInTransaction(this.transaction, statement)
      return await repeated(() => this.runAlone(statement))
    } catch (error) {
      // The fault was made where the socket is read. A reader of the log needs to know who asked.
      if (error instanceof Error) Error.captureStackTrace(error)
      throw error
    }
  }

  private async runAlone(statement: PlannedStatement): Promise<pg.QueryResult> {
    const { ownTransaction } = this.driver.pool.installation.mannerOf(this.connected)
    if (!ownTransaction) return this.sendAnywhere(prefixes => prefixes.of(statement.plan), statement)
    const transaction = this.begin({}, statement.plan)
    try {
      const result = await this.sendInTransaction(transaction, statement)
      await this.end('commit')
      return result
    } catch (error) {
      await this.end('rollback').catch(() => {})
      this.fault = error
      throw error
    }
  }

  /** @throws Error if it was given back, and no other could be had for it */
  private get connected(): pg.PoolClient {
    if (this.client === undefined) throw new Error('The connection has been given back.')
    return this.client
  }

  /**
   * Begins a transaction with the next statement: what sets role, workspace and what a plan needs for all of it is sent
   * with that.
   */
  begin({ isolationLevel = 'read committed', accessMode }: TransactionSettings, plan?: Plan): TransactionState {
    // The level is always named: a pooler may hand out a connection that has not been told the session settings.
    const text = `begin isolation level ${isolationLevel}${accessMode === undefined ? '' : ` ${accessMode}`}`
    this.over = false
    this.transaction = new TransactionState(text, plan)
    return this.transaction
  }

  private async sendInTransaction(transaction: TransactionState, statement: PlannedStatement): Promise<pg.QueryResult> {
    if (statement.withNext === true) {
      transaction.queue(statement)
      return NO_ANSWER
    }
    const { hasBegun } = transaction
    const prefixFor = transaction.next(statement)
    return hasBegun ? this.send(prefixFor, statement) : this.sendAnywhere(prefixFor, statement)
  }

  /** Ends the transaction of Kysely's. */
  async finish(text: 'commit' | 'rollback'): Promise<void> {
    this.over = true
    await this.end(text)
  }

  private async end(text: 'commit' | 'rollback'): Promise<void> {
    const { transaction } = this
    if (transaction === undefined) return
    if (text === 'rollback') {
      this.transaction = undefined
      transaction.drop()
    }
    // After a commit that fails comes a rollback.
    if (!transaction.isEmpty) await this.sendInTransaction(transaction, { text })
    this.transaction = undefined
  }

  /** Sends the first statement of a transaction. If the connection had ended before, sends it on another one. */
  private async sendAnywhere(
    prefixFor: (prefixes: ScopePrefixes) => readonly PrefixStatement[],
    statement: PlannedStatement
  ): Promise<pg.QueryResult> {
    try {
      return await this.send(prefixFor, statement)
    } catch (error) {
      if (!neverRan(error)) throw error
      // First the old one goes back: the new one may need its place in the pool.
      this.release()
      const client = await takeClient(this.driver.pool)
      // Kysely has rolled the transaction back meanwhile.
      if (this.over && this.transaction === undefined) {
        this.driver.pool.connections.giveBack(client)
        throw overAlready()
      }
      this.client = client
      return this.send(prefixFor, statement)
    }
  }

  private async send(
    prefixFor: (prefixes: ScopePrefixes) => readonly PrefixStatement[],
    statement: PlannedStatement
  ): Promise<pg.QueryResult> {
    const client = this.connected
    const prefixes = this.driver.prefixFor(client)
    const { text, values, name } = statement
    try {
      const named = { text, values, name: prefixes.named ? name : undefined }
      const result = await this.driver.pool.run(client, prefixFor(prefixes), named)
      this.answered = true
      return result
    } catch (error) {
      // On a lost connection the rollback fails too, and its error says less than the first one.
      if (!isUnusable(this.fault)) this.fault = error
      throw error
    }
  }
}

const overAlready = () => new Error('The transaction of this statement is over.')

const isUnusable = (fault: unknown) => fault instanceof ConnectError || isConnectionFault(fault)

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
