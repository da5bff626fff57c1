import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { guardPool } from './guarded-pool.js'
import { onConnect } from './pg-internals.js'
import type { Db, Schema } from './schema.js'
import { type Unscoped, unscoped } from './scope.js'
import { createRoleLookup, type RowSecurity } from './service-role.js'
import { applySettings } from './session-settings.js'

export interface DatabaseOptions {
  url: string
  /** Most connections of the pool that calls run on. `watch` has one more, and the client for hints another. */
  max: number
  /** Milliseconds to wait for a free connection, and for a new connection to be made. */
  connect_timeout_ms: number
  /** Milliseconds after which PostgreSQL ends a statement; 0 for never. */
  statement_timeout_ms: number
  /** Shows in pg_stat_activity. */
  application_name: string
  /** Called once, when it is known how far row-level security holds for this login. */
  onRowSecurity?: (found: RowSecurity) => void
  /** Called when an idle connection breaks. The pool replaces it. */
  onIdleError: (error: Error) => void
}

/** How many connections the pool has, by what they do. */
export interface PoolState {
  total: number
  idle: number
  /** Calls that wait for a connection. */
  waiting: number
  max: number
}

export interface Database {
  db: Unscoped
  pool: pg.Pool
  /** When a connection of the pool was last used without a fault, by performance.now(). */
  lastGoodAt: () => number
  /** One more connection, for what must not wait for a busy pool: whether the database is there, and revocations. */
  watch: Unscoped
  /** A client outside the pools, not connected yet, for hints. */
  client: () => pg.Client
  close: () => Promise<void>
}

const { builtins } = pg.types
// Our ids and sequences stay below 2^53, so a bigint is a number. Times are what clients see: ISO-8601 in UTC with
// milliseconds.
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.NUMERIC, Number],
  [builtins.TIMESTAMPTZ, isoTime]
])

/** A time as PostgreSQL writes it in UTC (session-settings.ts). It is rewritten without a Date, which is slower. */
const UTC_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/

function isoTime(text: string): string {
  const utc = UTC_TIME.exec(text)
  if (utc !== null) return `${utc[1]}T${utc[2]}.${(utc[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`
  // In the full form: JavaScript reads the year 1 in any other form as 2001.
  return new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString()
}

const types = {
  getTypeParser: (oid: number, format?: string) =>
    parsers.get(oid) ?? (pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown)
}

/** Time limit of the watch connection and of hints. Their statements are small. */
const WATCH_MS = 2000

export function connect(options: DatabaseOptions): Database {
  const pool = openPool(options)
  const watchPool = openPool({
    ...options,
    max: 1,
    connect_timeout_ms: Math.min(options.connect_timeout_ms, WATCH_MS),
    statement_timeout_ms: WATCH_MS
  })
  const role = createRoleLookup(options.onRowSecurity)
  const guarded = guardPool(pool)
  return {
    db: unscoped(guarded, role),
    pool,
    lastGoodAt: guarded.lastGoodAt,
    watch: unscoped(guardPool(watchPool), role),
    client: () =>
      new pg.Client({
        connectionString: options.url,
        connectionTimeoutMillis: WATCH_MS,
        application_name: options.application_name,
        keepAlive: true
      }),
    async close() {
      await Promise.all([pool.end(), watchPool.end()])
    }
  }
}

/** Connects as the owner, without a role and a workspace: for migrations and commands. */
export function connectAsOwner(options: DatabaseOptions): { db: Db; close: () => Promise<void> } {
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool(options) }) })
  return { db, close: () => db.destroy() }
}

function openPool(options: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    types,
    connectionTimeoutMillis: options.connect_timeout_ms,
    ...onConnect(client => applySettings(client, options.statement_timeout_ms)),
    // For a server that does not answer any more, and so cannot apply its own statement_timeout.
    query_timeout: options.statement_timeout_ms === 0 ? 0 : options.statement_timeout_ms + 2000,
    application_name: options.application_name,
    keepAlive: true
  })
  pool.on('error', options.onIdleError)
  // While a transaction holds a connection between two statements, nobody else listens for its errors, and an error
  // without a listener ends the process. The transaction's next statement fails anyway.
  pool.on('connect', client => {
    client.on('error', () => {})
  })
  return pool
}
