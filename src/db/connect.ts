import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import pg from 'pg'
import type { Db, Schema } from './schema.js'
import { statementName } from './statement-name.js'

export interface DatabaseOptions {
  url: string
  /** Most connections of the pool that calls run on; `watch` is one more, and the one for hints another. */
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
  /** One more connection, for what must be heard however busy the pool is: whether the database is there, and revocations. */
  watch: Db
  /** A connection by itself, not yet connected, for hints. */
  client: () => pg.Client
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

/** The watch connection gives up sooner: its questions are small. */
const WATCH_MS = 2000

export function connect (options: DatabaseOptions): Database {
  const pool = openPool(options)
  const watchPool = openPool({ ...options, max: 1, connect_timeout_ms: Math.min(options.connect_timeout_ms, WATCH_MS), statement_timeout_ms: WATCH_MS })
  const db = kyselyOn(pool)
  const watch = kyselyOn(watchPool)
  return {
    db,
    pool,
    watch,
    client: () => new pg.Client({
      connectionString: options.url, connectionTimeoutMillis: WATCH_MS, application_name: options.application_name, keepAlive: true
    }),
    async close () { await Promise.all([db.destroy(), watch.destroy()]) }
  }
}

function kyselyOn (pool: pg.Pool): Db {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: preparing(pool) }) })
}

/** What Kysely takes for a pool: statements that come again are prepared. */
function preparing (pool: pg.Pool): PostgresPool {
  return {
    async connect () {
      const client = await pool.connect()
      return {
        query: async (text: string, values: unknown[]) => client.query({ name: statementName(text), text, values }),
        release () { client.release() }
      } as unknown as Awaited<ReturnType<PostgresPool['connect']>>
    },
    end: async () => pool.end()
  }
}

function openPool (options: DatabaseOptions): pg.Pool {
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
  return pool
}
