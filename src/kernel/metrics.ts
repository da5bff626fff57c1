import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { ErrorCode } from './errors.js'

/**
 * The metrics of docs/semantics.md, Metrics. One registry per app, so that two apps in one process (tests) do not mix.
 */
export interface Metrics {
  registry: Registry
  /** Shows that a tool has had no INTERNAL_ERROR yet: Prometheus sees no rise of a count that begins with 1. */
  expectTool: (tool: string) => void
  /** One observation per call, made by the kernel. `seconds` on the wall clock, `code` of an error. */
  observeCall: (tool: string, seconds: number, code?: ErrorCode) => void
  /** `route` is the route's pattern, never the address that was asked for. */
  observeHttp: (method: string, route: string, status_code: number, seconds: number) => void
  /** Counts and latencies of this replica since it started, per tool; seconds. */
  calls: () => Promise<Array<{ tool: string; success: number; error: number; p50: number; p95: number; p99: number }>>
}

// Fine where calls usually are (a few milliseconds), coarse up to the request time limit.
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'mcp_requests_total',
    help: 'Calls of each tool, by outcome.',
    labelNames: ['tool', 'status'] as const,
    registers: [registry]
  })
  const duration = new Histogram({
    name: 'mcp_request_duration_seconds',
    help: 'Duration of the calls of each tool, in seconds.',
    labelNames: ['tool'] as const,
    buckets: CALL_BUCKETS,
    registers: [registry]
  })
  const errors = new Counter({
    name: 'mcp_errors_total',
    help: 'Calls of each tool that ended with an error, by its code.',
    labelNames: ['tool', 'code'] as const,
    registers: [registry]
  })
  const http = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests, in seconds.',
    labelNames: ['method', 'route', 'status_code'] as const,
    buckets: CALL_BUCKETS,
    registers: [registry]
  })
  return {
    registry,
    expectTool(tool) {
      errors.inc({ tool, code: 'INTERNAL_ERROR' }, 0)
    },
    observeCall(tool, seconds, code) {
      requests.inc({ tool, status: code === undefined ? 'success' : 'error' })
      duration.observe({ tool }, seconds)
      if (code !== undefined) errors.inc({ tool, code })
    },
    observeHttp(method, route, status_code, seconds) {
      http.observe({ method, route, status_code }, seconds)
    },
    async calls() {
      const counts = new Map<string, { success: number; error: number }>()
      for (const { labels, value } of (await requests.get()).values) {
        const tool = String(labels.tool)
        const count = counts.get(tool) ?? { success: 0, error: 0 }
        count[labels.status as 'success' | 'error'] = value
        counts.set(tool, count)
      }
      const buckets = new Map<string, Array<[le: number, count: number]>>()
      for (const { labels, value, metricName } of (await duration.get()).values as Array<{
        labels: Partial<Record<'tool' | 'le', string | number>>
        value: number
        metricName?: string
      }>) {
        if (metricName !== 'mcp_request_duration_seconds_bucket') continue
        const tool = String(labels.tool)
        const le = labels.le === '+Inf' ? Infinity : Number(labels.le)
        buckets.set(tool, [...(buckets.get(tool) ?? []), [le, value]])
      }
      return [...counts].map(([tool, count]) => {
        const of = buckets.get(tool) ?? []
        return { tool, ...count, p50: quantile(of, 0.5), p95: quantile(of, 0.95), p99: quantile(of, 0.99) }
      })
    }
  }
}

/** A quantile from cumulative buckets, linear inside a bucket, as Prometheus' histogram_quantile computes it. */
function quantile(buckets: Array<[le: number, count: number]>, q: number): number {
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  const rank = q * (sorted.at(-1)?.[1] ?? 0)
  let from = 0
  let below = 0
  for (const [le, count] of sorted) {
    if (count >= rank && count > below)
      return le === Infinity ? from : from + ((le - from) * (rank - below)) / (count - below)
    from = le
    below = count
  }
  return 0
}

/** A gauge whose value is asked for when somebody looks. A failure leaves the gauge out rather than break the page. */
export function addGauge(metrics: Metrics, name: string, help: string, read: () => number | Promise<number>): void {
  new Gauge({
    name,
    help,
    registers: [metrics.registry],
    async collect() {
      try {
        this.set(await read())
      } catch {
        // Not reset(), which would publish a zero that nobody counted.
        this.remove()
      }
    }
  })
}

/** How long something takes, in seconds. */
export function addHistogram(metrics: Metrics, name: string, help: string): (seconds: number) => void {
  const histogram = new Histogram({ name, help, buckets: CALL_BUCKETS, registers: [metrics.registry] })
  return seconds => {
    histogram.observe(seconds)
  }
}

/** What has happened on this replica since it started. */
export function addCounter(metrics: Metrics, name: string, help: string): (times?: number) => void {
  const counter = new Counter({ name, help, registers: [metrics.registry] })
  return times => {
    counter.inc(times)
  }
}

/** The same with one label, whose values are known beforehand: all of them begin with 0. */
export function addLabelledCounter(
  metrics: Metrics,
  name: string,
  help: string,
  label: string,
  values: readonly string[]
): (value: string) => void {
  const counter = new Counter({ name, help, labelNames: [label], registers: [metrics.registry] })
  for (const value of values) counter.inc({ [label]: value }, 0)
  return value => {
    counter.inc({ [label]: value })
  }
}

/** A gauge with one label whose values are known beforehand. */
export function addLabelledGauge<V extends string>(
  metrics: Metrics,
  name: string,
  help: string,
  label: string,
  values: readonly V[],
  read: (value: V) => number
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [metrics.registry],
    collect() {
      for (const value of values) this.set({ [label]: value }, read(value))
    }
  })
}
