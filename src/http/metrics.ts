import type { FastifyInstance } from 'fastify'
import type { BodyBudget } from './body/budget.js'
import type { Live } from '../feed/live.js'
import type { ConcurrencyLimit } from '../limits/concurrency-limit.js'
import { addGauge, addLabelledGauge, type Metrics } from '../kernel/metrics.js'
import type { Lag } from '../audit/chain/lag.js'
import type { Figures } from '../guidance/store/figures.js'
import type { Load } from './load.js'

/** Observes every HTTP request; labels are route patterns, never addresses. */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    // A stream's duration is how long its client stayed: a few of them would make the histogram's sums mean nothing.
    if (!String(reply.raw.getHeader('content-type')).startsWith('text/event-stream'))
      metrics.observeHttp(
        request.method,
        request.routeOptions.url ?? 'unmatched',
        reply.statusCode,
        reply.elapsedTime / 1000
      )
    done()
  })
}

export interface GaugeSources {
  /** Messages that wait for the search index, counted up to a limit. */
  waiting: () => Promise<number>
  pool: () => { total: number; idle: number; waiting: number; max: number }
  figures: () => Promise<Figures>
  load: Load
  live: Live
  waiters: ConcurrencyLimit
  bodies: BodyBudget
  /** How this replica hears of what the others have changed. */
  hints: () => 'listen' | 'poll'
  /** Of the audit chain; undefined where there is none. */
  audit_lag: (() => Promise<Lag>) | undefined
}

export function addGauges(
  metrics: Metrics,
  { pool, figures, load, waiting, live, waiters, bodies, hints, audit_lag }: GaugeSources
): void {
  addGauge(
    metrics,
    'mcp_active_sessions',
    'Sessions with a message in the last hour, in the whole service.',
    async () => (await figures()).active_sessions
  )
  addGauge(
    metrics,
    'mcp_active_agents',
    'Agents that called in the last 5 minutes, in the whole service.',
    async () => (await figures()).active_agents
  )
  addGauge(
    metrics,
    'search_index_waiting',
    'Messages written that the search index does not hold yet, in the whole service; counted up to 100000.',
    waiting
  )
  if (audit_lag !== undefined) {
    addGauge(
      metrics,
      'audit_chain_lag_rows',
      'Audit rows that have no place in the chain yet, in the whole service; of the newest 100000.',
      async () => (await audit_lag()).rows
    )
    addGauge(
      metrics,
      'audit_chain_lag_seconds',
      'Age of the oldest of them, in seconds.',
      async () => (await audit_lag()).seconds
    )
  }
  addGauge(metrics, 'database_pool_connections', 'Open database connections of this replica.', () => pool().total)
  addGauge(metrics, 'database_pool_idle', 'Database connections of this replica that are free.', () => pool().idle)
  addGauge(
    metrics,
    'database_pool_waiting',
    'Calls of this replica that wait for a database connection.',
    () => pool().waiting
  )
  addGauge(metrics, 'database_pool_max', 'Most database connections of this replica.', () => pool().max)
  addGauge(metrics, 'http_requests_in_flight', 'Requests this replica is working on.', () => load.in_flight)
  addGauge(
    metrics,
    'waiters',
    'Calls of wait_for_messages that wait on this replica; they are not in flight.',
    waiters.taken
  )
  addGauge(
    metrics,
    'followed_sessions',
    'Sessions that somebody waits for on this replica.',
    () => live.counts().sessions
  )
  addGauge(
    metrics,
    'followers',
    'Calls and streams that follow a session on this replica.',
    () => live.counts().followers
  )
  addLabelledGauge(
    metrics,
    'request_body_bytes',
    'Memory that request bodies take on this replica, in bytes, by whether their callers have good credentials.',
    'caller',
    ['known', 'unknown'],
    caller => bodies.reservedBytes(caller === 'known')
  )
  addLabelledGauge(
    metrics,
    'event_hints_mode',
    'How this replica hears of changes: 1 for listen (notifications arrive) or for poll (they do not, ' +
      'and the database is asked every 250 ms).',
    'mode',
    ['listen', 'poll'],
    mode => Number(hints() === mode)
  )
}

export function registerMetricsPage(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  )
}
