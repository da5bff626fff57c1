import type { ReadMetrics } from './metrics.js'
import type { OtelTracing } from './tracing.js'

/** Where spans and metrics go. */
export interface Telemetry {
  tracing: OtelTracing
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

/** OpenTelemetry is wanted and not installed. The message is for the operator. */
export class TelemetryMissing extends Error {}

/**
 * Loads the packages of OpenTelemetry, which are optional, and opens the export.
 * @throws TelemetryMissing
 */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  try {
    const { openOtlp } = await import('./otlp.js')
    return openOtlp(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new TelemetryMissing(
      'OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages of OpenTelemetry are not installed. They are optional: ' +
        'install with them (npm install --include=optional; the image: --build-arg TELEMETRY=on), or unset it.'
    )
  }
}
