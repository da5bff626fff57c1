import type { Bench, Finding } from '../kit/bench.js'
import { post, rest, senders } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide, type Side } from '../kit/rounds.js'
import { startService } from '../kit/service.js'
import { fill } from './get-messages.js'
import { served } from './with.js'

const PAGE = 50
const MESSAGES = 10_000

/** The commonest read against the least that could serve it and, with --old, against an older commit. */
export async function readMessages(bench: Bench): Promise<Finding> {
  const sides: Side[] = []
  const ends: Array<() => Promise<void>> = []
  const side = async (name: string, program = bench.program) => {
    const { service, database, tokens, sessions, end } = await served({ ...bench, program }, name)
    ends.push(end)
    const [session_id] = sessions as [string]
    await fill(database, session_id, MESSAGES)
    await database.query('vacuum analyze')
    await bench.load.prepare(name, {
      senders: senders(service.port, connection =>
        rest('get_messages', { session_id, limit: PAGE }, tokens[connection] as string)
      ),
      expect: `"count":${PAGE},`
    })
    sides.push(loadSide(bench, name, name, [service]))
    return { database, tokens, session_id }
  }
  const { database, tokens, session_id } = await side('get_messages')
  const bare = await startService(bench.program, bench.cleanup, {
    database_url: database.url,
    entry: 'bench/programs/bare-messages.js'
  })
  await bench.load.prepare('bare', {
    senders: senders(bare.port, connection => post('/messages', { session_id, limit: PAGE }, tokens[connection])),
    expect: `"count":${PAGE},`
  })
  sides.push(loadSide(bench, 'bare', 'bare', [bare]))
  if (bench.old !== undefined) await side('older', bench.old)
  const measured = await alternate(bench, sides)
  await bare.stop()
  for (const end of ends) await end()
  const what = `get_messages of ${PAGE}`
  return {
    rows: [
      ratioRow(`${what} ÷ a bare Fastify route that sends the same rows`, measured, 'get_messages', 'bare', 0.7),
      ...(bench.old === undefined
        ? []
        : [ratioRow(`${what} ÷ the same of the commit given by --old`, measured, 'get_messages', 'older', 2)])
    ],
    notes: sideNotes(measured).map(note => `read-messages: ${note}`)
  }
}
