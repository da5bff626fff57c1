import { variables } from '../../src/config/config.js'
import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/** What it costs writing that calls are counted, on all replicas together, and that quotas are looked at. */
export async function limits(bench: Bench): Promise<Finding> {
  const none = Object.fromEntries(
    variables.filter(({ name }) => /^(RATE_LIMIT|QUOTA)_/.test(name)).map(({ name }) => [name, '0'])
  )
  const on = await served(bench, 'limits_on')
  const off = await served(bench, 'limits_off', { env: none })
  await bench.load.prepare('on', { senders: addMessages(on.service.port, on.tokens, on.sessions), expect: SUCCESS })
  await bench.load.prepare('off', { senders: addMessages(off.service.port, off.tokens, off.sessions), expect: SUCCESS })
  const measured = await alternate(bench, [
    loadSide(bench, 'with limits', 'on', [on.service]),
    loadSide(bench, 'without', 'off', [off.service])
  ])
  const [taken] = await on.database.query<{ subjects: number; calls: number }>(
    "select count(*)::int as subjects, coalesce(sum(taken), 0)::int as calls from rate_limits where kind = 'agent'"
  )
  await on.end()
  await off.end()
  return {
    rows: [
      ratioRow(
        `add_message, ${CONNECTIONS} connections, with rate limits and quotas ÷ without`,
        measured,
        'with limits',
        'without',
        0.95
      )
    ],
    notes: [
      ...sideNotes(measured),
      `${taken?.calls ?? 0} calls of ${taken?.subjects ?? 0} agents were taken in shares in the minutes that are being counted`
    ].map(note => `limits: ${note}`)
  }
}
