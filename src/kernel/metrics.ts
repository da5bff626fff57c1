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
  /** The calls of each tool on this replica since it started. */
  calls: () => Promise<Map<string, Calls>>
}

export interface Calls {
  success: number
  error: number
  /** How many took at most as long as each bound of CALL_BUCKETS, and last how many there were. */
  within: number[]
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
      const calls = new Map<string, Calls>()
      for (const { labels, value } of (await requests.get()).values) {
        const tool = String(labels.tool)
        const of = calls.get(tool) ?? { success: 0, error: 0, within: [] }
        of[labels.status as 'success' | 'error'] = value
        calls.set(tool, of)
      }
      for (const { labels, value, metricName } of (await duration.get()).values as Array<{
        labels: Partial<Record<'tool' | 'le', string | number>>
        value: number
        metricName?: string
      }>) {
        // They come from the smallest bound to the largest.
        if (metricName === 'mcp_request_duration_seconds_bucket') calls.get(String(labels.tool))?.within.push(value)
      }
      return calls
    }
  }
}

/** Seconds in which that share of the calls ended: linear between two bounds, as Prometheus' histogram_quantile. */
export function quantile({ within }: Pick<Calls, 'within'>, share: number): number {
  const rank = share * (within.at(-1) ?? 0)
  const at = within.findIndex((count, i) => count >= rank && count > (within[i - 1] ?? 0))
  if (at < 0) return 0
  const from = CALL_BUCKETS[at - 1] ?? 0
  const to = CALL_BUCKETS[at]
  const below = within[at - 1] ?? 0
  return to === undefined ? from : from + ((to - from) * (rank - below)) / ((within[at] as number) - below)
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
