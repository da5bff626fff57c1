import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

const BATCH = 100_000

/** Whether writing slows down as the audit log, which every write adds to, grows. */
export async function audit(bench: Bench): Promise<Finding> {
  const count = bench.full ? 5_000_000 : 500_000
  const grown = await served(bench, 'audit_grown')
  const empty = await served(bench, 'audit_empty')
  bench.say(`  writing ${count} audit rows`)
  for (let from = 1; from <= count; from += BATCH) {
    await grown.database.query(
      `
      insert into audit_log (workspace, timestamp, event_type, agent_id, session_id, action, resource, result, request_id)
      select 'default', clock_timestamp() - make_interval(secs => ($3 - n) * 0.1), case when n % 50 = 0 then 'memory_set' else 'message_added' end, 'agent-' || n % 200,
             ($4::text[])[1 + n % 64], case when n % 50 = 0 then 'set_memory' else 'add_message' end, 'message:' || n, 'success', gen_random_uuid()::text
      from generate_series($1::int, $2::int) n`,
      [from, Math.min(count, from + BATCH - 1), count, grown.sessions]
    )
  }
  for (const { database } of [grown, empty]) {
    await database.query('vacuum analyze')
    await database.query('checkpoint')
  }
  await bench.load.prepare('grown', {
    senders: addMessages(grown.service.port, grown.tokens, grown.sessions),
    expect: SUCCESS
  })
  await bench.load.prepare('empty', {
    senders: addMessages(empty.service.port, empty.tokens, empty.sessions),
    expect: SUCCESS
  })
  const sides = [`after ${count}`, 'empty'] as const
  const measured = await alternate(bench, [
    loadSide(bench, sides[0], 'grown', [grown.service]),
    loadSide(bench, sides[1], 'empty', [empty.service])
  ])
  await grown.end()
  await empty.end()
  return {
    rows: [
      ratioRow(`add_message after ${count} audit rows ÷ on an empty audit log`, measured, sides[0], sides[1], 0.9)
    ],
    notes: sideNotes(measured).map(note => `audit: ${note}`)
  }
}
