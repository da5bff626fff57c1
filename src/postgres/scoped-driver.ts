import type { DatabaseConnection, Driver, TransactionSettings } from 'kysely'
import type pg from 'pg'
import type { Manner } from './installation.js'
import type { PlannedStatement } from './planned-query.js'
import { type ScopePrefixes, scopePrefixes } from './scope-prefix.js'
import { type ConnectionDeps, ScopedConnection, type ScopedPool } from './scoped-connection.js'

/** What Kysely calls to run SQL for one workspace. */
export class ScopedDriver implements Driver, ConnectionDeps {
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
    return ScopedConnection.take(this)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ;(connection as ScopedConnection).release()
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    ;(connection as ScopedConnection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as ScopedConnection).finish('commit')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // Why it is taken back is what the caller needs to know. A connection that stays in a transaction ends in the pool.
    await (connection as ScopedConnection).finish('rollback').catch(() => {})
  }

  async init(): Promise<void> {}

  /** Nothing: whoever opened the pool closes it. */
  async destroy(): Promise<void> {}
}
