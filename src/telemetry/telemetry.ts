import type { ReadMetrics } from './metrics.js'
import type { SayProblems } from './problems.js'
import type { OtelTracing } from './tracing.js'

/** Where spans and metrics go. */
export interface Telemetry {
  tracing: OtelTracing
  sayProblems: SayProblems
  /** Sends the metrics that `read` returns, again and again. */
  exportMetrics: (read: ReadMetrics) => void
  /** Sends what is left. Never throws. */
  close: () => Promise<void>
}

export interface TelemetryOptions {
  /** Of the service. */
  name: string
  version: string
  replica: string
  /** Milliseconds between two exports of metrics. */
  metric_interval_ms: number
}

export type OpenTelemetry = (options: TelemetryOptions) => Telemetry
