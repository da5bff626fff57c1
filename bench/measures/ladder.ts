import { freePort } from '../../src/postgres/embedded/index.js'
import type { Bench, Finding, Row } from '../kit/bench.js'
import { addMessages, CONNECTIONS, contents, get, post, senders, SUCCESS } from '../kit/requests.js'
import { perSecond, sideNotes } from '../kit/report.js'
import { alternate, loadSide, rate, ratio } from '../kit/rounds.js'
import { served } from './with.js'

const FIRST = 'hello'

/** Where time goes, from a route that does nothing to the whole tool, in one process. */
export async function ladder(bench: Bench): Promise<Finding> {
  const port = await freePort()
  const { service, tokens, sessions, end } = await served(bench, 'ladder', {
    entry: 'bench/programs/ladder.js',
    env: { LADDER_PORT: String(port) }
  })
  const token = (connection: number) => tokens[connection] as string
  const said = contents(CONNECTIONS * 50)
  const message = (connection: number, n: number) => ({
    session_id: sessions[connection],
    ...said[connection * 50 + n]
  })
  const rungs = {
    [FIRST]: senders(port, () => get('/hello')),
    '+ JWT': senders(port, connection => get('/token', token(connection))),
    '+ body schema': senders(port, (connection, n) => post('/schema', message(connection, n), token(connection))),
    '+ one insert': senders(port, (connection, n) => post('/insert', message(connection, n), token(connection))),
    add_message: addMessages(service.port, tokens, sessions)
  }
  for (const [name, is] of Object.entries(rungs)) await bench.load.prepare(name, { senders: is, expect: SUCCESS })
  const measured = await alternate(
    { ...bench, seconds: bench.full ? bench.seconds : Math.min(bench.seconds, 1.5) },
    Object.keys(rungs).map(name => loadSide(bench, name, name, [service]))
  )
  await end()
  const rows = Object.keys(rungs).map((name): Row => {
    const of = ratio(measured, name, FIRST)
    return {
      measure: `ladder: ${name}`,
      a: perSecond(rate(measured, name)),
      b: '',
      ratio: of.median.toFixed(2),
      spread: `${of.least.toFixed(2)}–${of.most.toFixed(2)}`,
      bar: '',
      verdict: '–'
    }
  })
  return { rows, notes: sideNotes(measured).map(note => `ladder: ${note}`) }
}
