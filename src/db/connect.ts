import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Db, Schema } from './schema.js'

export interface DatabaseOptions {
  url: string
  /** Most connections of this process, the revocation reader's among them. */
  max: number
  /** Milliseconds to wait for a free connection, and for a new one to be made. */
  connect_timeout_ms: number
  /** Milliseconds after which PostgreSQL ends a statement; 0 for never. */
  statement_timeout_ms: number
  /** Shows in pg_stat_activity. */
  application_name: string
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  onIdleError: (error: Error) => void
}

export interface Database {
  db: Db
  pool: pg.Pool
  close: () => Promise<void>
}

const { builtins } = pg.types
// bigint: our ids and sequences stay below 2^53. Times: ISO-8601 UTC with milliseconds, as clients see them.
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.NUMERIC, Number],
  [builtins.TIMESTAMPTZ, text => new Date(text).toISOString()]
])

const types = {
  getTypeParser: (oid: number, format?: string) => parsers.get(oid) ?? pg.types.getTypeParser(oid, format as 'text')
}

export function connect (options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    types: types as pg.CustomTypesConfig,
    connectionTimeoutMillis: options.connect_timeout_ms,
    statement_timeout: options.statement_timeout_ms,
    idle_in_transaction_session_timeout: options.statement_timeout_ms,
    // For a server that stopped answering altogether: its own statement_timeout cannot be heard then.
    query_timeout: options.statement_timeout_ms === 0 ? 0 : options.statement_timeout_ms + 2000,
    application_name: options.application_name,
    keepAlive: true
  })
  pool.on('error', options.onIdleError)
  // A connection that breaks while a transaction holds it between two statements has nobody listening, which would end the
  // process. The transaction's next statement fails by itself.
  pool.on('connect', client => { client.on('error', () => {}) })
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return { db, pool, close: () => db.destroy() }
}
