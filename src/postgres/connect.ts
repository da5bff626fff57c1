import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { guardPool } from './guarded-pool.js'
import { onConnect } from './pg-internals.js'
import type { Db, Schema } from './schema.js'
import { type Unscoped, unscoped } from './scope.js'
import { roles, type RowSecurity } from './service-role.js'
import { applySettings } from './session-settings.js'

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
  /** Told once what stands between workspaces for this login. */
  onWall?: (wall: RowSecurity) => void
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  onIdleError: (error: Error) => void
}

export interface Database {
  db: Unscoped
  pool: pg.Pool
  /** When a connection of the pool was last used without a fault, by performance.now(). */
  lastGoodAt: () => number
  /**
   * One more connection, for what must be heard however busy the pool is: whether the database is there, and
   * revocations.
   */
  watch: Unscoped
  /** A connection by itself, not yet connected, for hints. */
  client: () => pg.Client
  close: () => Promise<void>
}

const { builtins } = pg.types
// bigint: our ids and sequences stay below 2^53. Times: ISO-8601 UTC with milliseconds, as clients see them.
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [builtins.NUMERIC, Number],
  [builtins.TIMESTAMPTZ, isoTime]
])

/** What PostgreSQL writes where its time zone is UTC, which it is nearly everywhere, without the detour by a Date. */
const UTC_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/

function isoTime(text: string): string {
  const utc = UTC_TIME.exec(text)
  if (utc !== null) return `${utc[1]}T${utc[2]}.${(utc[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`
  // Written in full: of anything less JavaScript takes the year 1 for 2001.
  return new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString()
}

const types = {
  getTypeParser: (oid: number, format?: string) =>
    parsers.get(oid) ?? (pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown)
}

/** The watch connection gives up sooner: its questions are small. */
const WATCH_MS = 2000

export function connect(options: DatabaseOptions): Database {
  const pool = openPool(options)
  const watchPool = openPool({
    ...options,
    max: 1,
    connect_timeout_ms: Math.min(options.connect_timeout_ms, WATCH_MS),
    statement_timeout_ms: WATCH_MS
  })
  const works = roles(options.onWall)
  const guarded = guardPool(pool)
  return {
    db: unscoped(guarded, works),
    pool,
    lastGoodAt: guarded.lastGoodAt,
    watch: unscoped(guardPool(watchPool), works),
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

/** As whoever logs in, with no word of a workspace: for migrating. */
export function connectAsOwner(options: DatabaseOptions): { db: Db; close: () => Promise<void> } {
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool(options) }) })
  return { db, close: () => db.destroy() }
}

function openPool(options: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    types: types,
    connectionTimeoutMillis: options.connect_timeout_ms,
    ...onConnect(client => applySettings(client, options.statement_timeout_ms)),
    // For a server that stopped answering altogether: its own statement_timeout cannot be heard then.
    query_timeout: options.statement_timeout_ms === 0 ? 0 : options.statement_timeout_ms + 2000,
    application_name: options.application_name,
    keepAlive: true
  })
  pool.on('error', options.onIdleError)
  // A connection that breaks while a transaction holds it between two statements has nobody listening, which would end
  // the process. The transaction's next statement fails by itself.
  pool.on('connect', client => {
    client.on('error', () => {})
  })
  return pool
}
