import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HasTeardown } from '../helper.js'

interface KeyValue {
  key: string
  value: Record<string, unknown>
}

export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  status: { code?: number }
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Record<string, unknown>
}

export interface ReceivedMetric {
  name: string
  unit: string
  points: Array<{ attributes: Record<string, unknown>; [field: string]: any }>
}

/** A collector as OTLP over HTTP has it (JSON), which keeps what it gets. */
export interface Receiver {
  endpoint: string
  spans: ReceivedSpan[]
  /** By name, as they came last. */
  metrics: Map<string, ReceivedMetric>
  /** Attributes of whoever sent. */
  resource: Record<string, unknown>
  /** Everything that came, as it came. */
  raw: string[]
}

const plain = (attributes: KeyValue[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

export async function startReceiver(t: HasTeardown): Promise<Receiver> {
  const received: Omit<Receiver, 'endpoint'> = { spans: [], metrics: new Map(), resource: {}, raw: [] }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') {
        response.writeHead(415).end()
        return
      }
      received.raw.push(body)
      const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(body)
      for (const { resource, scopeSpans } of resourceSpans) {
        received.resource = plain(resource.attributes)
        for (const { spans } of scopeSpans)
          for (const span of spans) received.spans.push({ ...span, attributes: plain(span.attributes) })
      }
      for (const { scopeMetrics } of resourceMetrics)
        for (const { metrics } of scopeMetrics)
          for (const { name, unit, sum, gauge, histogram } of metrics) {
            const { dataPoints = [] } = sum ?? gauge ?? histogram
            const points = dataPoints.map((point: any) => ({ ...point, attributes: plain(point.attributes) }))
            received.metrics.set(name, { name, unit, points })
          }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return Object.assign(received, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
