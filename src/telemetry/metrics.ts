import type { HrTime } from '@opentelemetry/api'
import { ValueType } from '@opentelemetry/api'
import { hrTime } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer
} from '@opentelemetry/sdk-metrics'

/** A metric as the page of Prometheus has it; the registry's own type says less. */
interface PageMetric {
  name: string
  help: string
  type: string
  values: Array<{ labels: Record<string, string | number>; value: number; metricName?: string }>
}

export type ReadMetrics = () => Promise<unknown>

/** The metrics of /metrics once more, for OTLP: there is one count of everything. */
export function producerOf(read: ReadMetrics, resource: Resource, startTime: HrTime): MetricProducer {
  return {
    async collect(): Promise<CollectionResult> {
      const times = { startTime, endTime: hrTime() }
      const metrics = ((await read()) as PageMetric[]).flatMap(metric => convert(metric, times))
      return {
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'shared-context-server' }, metrics }] },
        errors: []
      }
    }
  }
}

type Times = { startTime: HrTime; endTime: HrTime }

function convert(metric: PageMetric, times: Times): MetricData[] {
  const { name, help, type, values } = metric
  const unit = /_seconds(_total)?$/.test(name) ? 's' : /_bytes$/.test(name) ? 'By' : ''
  const descriptor = { name, description: help, unit, valueType: ValueType.DOUBLE }
  const cumulative = AggregationTemporality.CUMULATIVE
  if (type === 'histogram')
    return [
      {
        descriptor,
        aggregationTemporality: cumulative,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: histograms(metric).map(point => ({ ...times, ...point }))
      }
    ]
  const dataPoints = values.map(({ labels: attributes, value }) => ({ ...times, attributes, value }))
  if (type === 'counter')
    return [
      {
        descriptor,
        aggregationTemporality: cumulative,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints
      }
    ]
  if (type !== 'gauge') return []
  return [{ descriptor, aggregationTemporality: cumulative, dataPointType: DataPointType.GAUGE, dataPoints }]
}

interface HistogramPoint {
  attributes: Record<string, string | number>
  value: { buckets: { boundaries: number[]; counts: number[] }; count: number; sum: number }
}

/** Prometheus counts what is at most a bound; OTLP, what lies between two bounds. */
function histograms({ name, values }: PageMetric): HistogramPoint[] {
  const points = new Map<string, HistogramPoint & { below: number }>()
  for (const { labels, value, metricName } of values) {
    const { le, ...attributes } = labels
    const key = JSON.stringify(Object.entries(attributes).sort())
    let point = points.get(key)
    if (point === undefined)
      points.set(
        key,
        (point = { attributes, below: 0, value: { buckets: { boundaries: [], counts: [] }, count: 0, sum: 0 } })
      )
    const of = point.value
    if (metricName === `${name}_sum`) of.sum = value
    else if (metricName === `${name}_count`) of.count = value
    else {
      if (le !== '+Inf') of.buckets.boundaries.push(Number(le))
      of.buckets.counts.push(value - point.below)
      point.below = value
    }
  }
  return [...points.values()].map(({ attributes, value }) => ({ attributes, value }))
}
