import pg from 'pg'
import { parseDatabaseUrl } from '../config/database-url.js'
import type { ConnectError } from './faults.js'
import { guardPool } from './guarded-pool.js'
import { clientsAlong, connectAlong, poolAlong } from './clients.js'
import { Installation } from './installation.js'
import { watchStatements } from './liveness.js'
import { requireDirect } from './pooler.js'
import { Route } from './route.js'
import type { Db } from './schema.js'
import { acrossWorkspaces, type Unscoped, unscoped } from './scope.js'
import type { RowSecurity } from './service-role.js'
import { traced, type TraceStatement } from './traced.js'

export interface DatabaseOptions {
  url: string
  /** Where hints are listened for. Undefined: at `url`. */
  listen_url?: string
  /** Most connections of the pool that calls run on. `watch` has one more, and the client for hints another. */
  max: number
  /** Milliseconds to wait for a free connection, and for a new connection to be made. */
  connect_timeout_ms: number
  /** Milliseconds after which PostgreSQL ends a statement; 0 for never. */
  statement_timeout_ms: number
  /** Milliseconds after which a connection is replaced; 0 or undefined for never. */
  max_age_ms?: number
  /** Undefined: nobody wants spans. */
  trace?: TraceStatement
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
  /** Why the pool has no usable connection. Undefined: the last one was usable. */
  lastFault: () => ConnectError | undefined
  /** One more connection, for what must not wait for a busy pool: whether the database is there, and revocations. */
  watch: Unscoped
  /** What is known of the database once a connection has been made. */
  installation: Installation
  /** Milliseconds after which a connection is to be replaced; 0 for never. */
  max_age_ms: number
  /** Connects outside the pools, for hints. @throws ConnectError, also for a pooler; what the signal is aborted with */
  client: (signal: AbortSignal) => Promise<pg.Client>
  close: () => Promise<void>
}

const { builtins } = pg.types
/** The type bigint[], which pg does not name. */
const INT8_ARRAY: number = 1016
// Our ids and sequences stay below 2^53, so a bigint is a number. Times are what clients see: ISO-8601 in UTC with
// milliseconds.
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, Number],
  [INT8_ARRAY, numbers],
  [builtins.NUMERIC, Number],
  [builtins.TIMESTAMPTZ, isoTime]
])

/** pg reads each as text. */
function numbers(text: string): Array<number | null> {
  const texts = (pg.types.getTypeParser(INT8_ARRAY, 'text') as (text: string) => Array<string | null>)(text)
  return texts.map(each => (each === null ? null : Number(each)))
}

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
/** Milliseconds for the answer of a statement, beyond those that PostgreSQL gives it. */
const ANSWER_MS = 2000

export function connect(options: DatabaseOptions): Database {
  const installation = new Installation({
    target: parseDatabaseUrl(options.url).target,
    as_service: true,
    onRowSecurity: options.onRowSecurity
  })
  const calls = openPool(options, installation)
  const watch = openPool(
    {
      ...options,
      max: 1,
      connect_timeout_ms: Math.min(options.connect_timeout_ms, WATCH_MS),
      statement_timeout_ms: WATCH_MS
    },
    installation
  )
  const { listen_url = options.url } = options
  const listenRoute = routeTo(listen_url, options.application_name, WATCH_MS)
  const HintClient = clientsAlong(listenRoute, async client => {
    if (options.listen_url === undefined) await requireDirect(client)
  })
  return {
    db: calls.db,
    pool: calls.pool,
    lastGoodAt: calls.lastGoodAt,
    lastFault: calls.lastFault,
    watch: watch.db,
    installation,
    max_age_ms: options.max_age_ms ?? 0,
    client: signal => connectAlong(listenRoute, HintClient, signal),
    async close() {
      await Promise.all([calls.close(), watch.close()])
    }
  }
}

/** Connects as the owner, for all workspaces and without a role: for migrations and commands. */
export function connectAsOwner(options: DatabaseOptions): { db: Db; close: () => Promise<void> } {
  const { target } = parseDatabaseUrl(options.url)
  const { db, close } = openPool(options, new Installation({ target, as_service: false }))
  return { db: acrossWorkspaces(db), close }
}

function routeTo(url: string, application_name: string, connect_timeout_ms: number): Route {
  return new Route(parseDatabaseUrl(url), { types, application_name, keepAlive: true }, connect_timeout_ms)
}

interface OpenPool extends Pick<Database, 'pool' | 'lastGoodAt' | 'lastFault' | 'close'> {
  db: Unscoped
}

function openPool(options: DatabaseOptions, installation: Installation): OpenPool {
  const { statement_timeout_ms, connect_timeout_ms, max_age_ms } = options
  const route = routeTo(options.url, options.application_name, connect_timeout_ms)
  const Client = clientsAlong(route, client => installation.prepare(client, statement_timeout_ms))
  const pool = poolAlong(route, Client, { max: options.max, connectionTimeoutMillis: connect_timeout_ms })
  pool.on('error', options.onIdleError)
  const guarded = guardPool(pool, { max_age_ms })
  const liveness = watchStatements({
    limit_ms: statement_timeout_ms === 0 ? 0 : statement_timeout_ms + ANSWER_MS,
    client: signal => connectAlong(route, Client, signal),
    isPooled: client => installation.mannerOf(client).local.length > 0
  })
  return {
    db: unscoped(
      guarded,
      installation,
      options.trace === undefined ? liveness.run : traced(liveness.run, options.trace)
    ),
    pool,
    lastGoodAt: guarded.lastGoodAt,
    lastFault: guarded.lastFault,
    async close() {
      liveness.close()
      await pool.end()
    }
  }
}
