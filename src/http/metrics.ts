import type { FastifyInstance } from 'fastify'
import type { BodyBudget } from './body/budget.js'
import { addGauge, addLabelledGauge, type Metrics } from '../kernel/metrics.js'
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

/** Adds the gauges of this front. */
export function addHttpGauges(metrics: Metrics, load: Load, bodies: BodyBudget): void {
  addGauge(metrics, 'http_requests_in_flight', 'Requests this replica is working on.', () => load.in_flight)
  addLabelledGauge(
    metrics,
    'request_body_bytes',
    'Memory that request bodies take on this replica, in bytes, by whether their callers have good credentials.',
    'caller',
    ['known', 'unknown'],
    caller => bodies.reservedBytes(caller === 'known')
  )
}

export function registerMetricsPage(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  )
}
