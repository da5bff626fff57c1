import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** What it costs writing that one call in ten is traced, and metrics are exported. */
export async function telemetry(bench: Bench): Promise<Finding> {
  let bytes = 0
  const receiver = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'))
  })
  bench.cleanup.add(async () => {
    receiver.close()
    receiver.closeAllConnections()
  })
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1'
  }
  const on = await served(bench, 'telemetry_on', { env })
  const off = await served(bench, 'telemetry_off')
  await bench.load.prepare('on', { senders: addMessages(on.service.port, on.tokens, on.sessions), expect: SUCCESS })
  await bench.load.prepare('off', { senders: addMessages(off.service.port, off.tokens, off.sessions), expect: SUCCESS })
  const measured = await alternate(bench, [
    loadSide(bench, 'with OpenTelemetry', 'on', [on.service]),
    loadSide(bench, 'without', 'off', [off.service])
  ])
  await on.end()
  await off.end()
  if (bytes === 0) throw new Error('Nothing was exported.')
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} connections, one call in ten traced ÷ without OpenTelemetry`,
        measured,
        'with OpenTelemetry',
        'without',
        0.9
      )
    ],
    notes: [...sideNotes(measured), `${Math.round(bytes / 1024)} KiB were exported`].map(note => `telemetry: ${note}`)
  }
}
