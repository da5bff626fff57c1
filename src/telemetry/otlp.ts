import { setTimeout as delay } from 'node:timers/promises'
import { hrTime } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { producerOf, type ReadMetrics } from './metrics.js'
import { keepProblems } from './problems.js'
import type { OpenTelemetry } from './telemetry.js'
import { tracingBy } from './tracing.js'

/** A collector that does not answer must not keep the service from stopping. */
const CLOSE_MS = 3000

/**
 * Exports spans and metrics as OTLP over HTTP, as JSON. Exporters, sampler and span processor read the variables of
 * OpenTelemetry by themselves. Only ./open.ts imports this file, and only if somebody wants it.
 */
export const openOtlp: OpenTelemetry = ({ name, version, replica, metric_interval_ms }) => {
  const sayProblems = keepProblems()
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': name,
        'service.version': version,
        'service.instance.id': replica
      })
    )
    .merge(detectResources({ detectors: [envDetector] }))
  const spans = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())]
  })
  let meters: MeterProvider | undefined
  const started = hrTime()
  return {
    tracing: tracingBy(spans.getTracer(name, version)),
    sayProblems,
    exportMetrics(read: ReadMetrics) {
      const reader = new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(),
        exportIntervalMillis: metric_interval_ms,
        exportTimeoutMillis: Math.min(metric_interval_ms, 30_000),
        metricProducers: [producerOf(read, resource, started)]
      })
      meters = new MeterProvider({ resource, readers: [reader] })
    },
    async close() {
      const sent = Promise.allSettled([spans.shutdown(), meters?.shutdown()])
      await Promise.race([sent, delay(CLOSE_MS, undefined, { ref: false })])
    }
  }
}
