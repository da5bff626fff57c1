import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, rest, senders, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

const BATCH = 100
const value = (n: number) => ({ step: n, done: ['read', 'plan', 'write'], note: 'what comes next '.repeat(10) })

/** set_memory on many connections against add_message, and a batch against single calls one after the other. */
export async function memory(bench: Bench): Promise<Finding> {
  const { service, tokens, sessions, end } = await served(bench, 'memory')
  const token = (connection: number) => tokens[connection % tokens.length] as string
  await bench.load.prepare('messages', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  await bench.load.prepare('set', {
    senders: senders(service.port, (connection, n) =>
      rest('set_memory', { key: `state ${connection} ${n}`, value: value(n) }, token(connection))
    ),
    expect: SUCCESS
  })
  const many = await alternate(bench, [
    loadSide(bench, 'set_memory', 'set', [service]),
    loadSide(bench, 'add_message', 'messages', [service])
  ])
  const one = (name: string, request: (n: number) => string) =>
    bench.load.prepare(name, { senders: senders(service.port, (_connection, n) => request(n), 1), expect: SUCCESS })
  await one('single', n => rest('set_memory', { key: `single ${n}`, value: value(n) }, token(0)))
  await one('batch', n => {
    const operations = Array.from({ length: BATCH }, (_, i) => ({ op: 'set', key: `batch ${n} ${i}`, value: value(i) }))
    return rest('batch_memory', { operations }, token(0))
  })
  const series = await alternate(bench, [
    loadSide(bench, `batches of ${BATCH}`, 'batch', [service]),
    loadSide(bench, 'single sets', 'single', [service])
  ])
  await end()
  return {
    rows: [
      ratioRow(`set_memory ÷ add_message, ${CONNECTIONS} connections`, many, 'set_memory', 'add_message', 0.8),
      ratioRow(
        `batch_memory of ${BATCH} sets ÷ set_memory, one client, calls in series (× ${BATCH} for values)`,
        series,
        `batches of ${BATCH}`,
        'single sets',
        20 / BATCH
      )
    ],
    notes: [...sideNotes(many), ...sideNotes(series)].map(note => `memory: ${note}`)
  }
}
