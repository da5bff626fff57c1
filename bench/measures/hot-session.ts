import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** Whether writers of one session, who take turns for its next number, are held up by each other. */
export async function hotSession(bench: Bench): Promise<Finding> {
  const { service, tokens, sessions, end } = await served(bench, 'hot_session')
  await bench.load.prepare('hot', { senders: addMessages(service.port, tokens, sessions.slice(0, 1)), expect: SUCCESS })
  await bench.load.prepare('spread', { senders: addMessages(service.port, tokens, sessions), expect: SUCCESS })
  const measured = await alternate(bench, [
    loadSide(bench, 'one session', 'hot', [service]),
    loadSide(bench, `${CONNECTIONS} sessions`, 'spread', [service])
  ])
  await end()
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} writers in one session ÷ in ${CONNECTIONS} sessions`,
        measured,
        'one session',
        `${CONNECTIONS} sessions`,
        0.8
      )
    ],
    notes: sideNotes(measured).map(note => `hot-session: ${note}`)
  }
}
