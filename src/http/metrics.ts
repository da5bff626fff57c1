import type { FastifyInstance } from 'fastify'
import type { BodyBudget } from './body/budget.js'
import { addGauge, addLabelledGauge, type Metrics } from '../kernel/metrics.js'
import type { Load } from './load.js'

/** Measures every HTTP request. Its label is the pattern of the route, never the address that a client sent. */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    // A stream lasts as long as its client stays. Such durations would hide those of ordinary requests.
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

export function addHttpGauges(metrics: Metrics, load: Load, max_in_flight: number, bodies: BodyBudget): void {
  addGauge(metrics, 'http_requests_in_flight', 'Requests this replica is working on.', () => load.in_flight)
  addGauge(
    metrics,
    'http_requests_in_flight_max',
    'Most requests that this replica works on at a time (MAX_IN_FLIGHT).',
    () => max_in_flight
  )
  addLabelledGauge(
    metrics,
    'request_body_bytes',
    'Bytes of memory that request bodies take on this replica; known: those of callers with good credentials.',
    'caller',
    ['known', 'unknown'],
    caller => bodies.reservedBytes(caller === 'known')
  )
}

/** What a load balancer is told. */
export function addReadyGauge(metrics: Metrics, unready: () => Promise<string | undefined>): void {
  addGauge(metrics, 'service_ready', 'What /health/ready says of this replica: 1 or 0.', async () =>
    Number((await unready()) === undefined)
  )
}

export function registerMetricsPage(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  )
}
