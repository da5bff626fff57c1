import { randomBytes } from 'node:crypto'
import type { Bench, Finding } from '../kit/bench.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide } from '../kit/rounds.js'
import { served } from './with.js'

/**
 * What the proof of the audit log costs: every message's row is chained, by the service that took it, and that CPU time
 * counts.
 */
export async function auditChain(bench: Bench): Promise<Finding> {
  const on = await served(bench, 'audit_chain_on', { env: { AUDIT_HMAC_KEY: randomBytes(32).toString('hex') } })
  const off = await served(bench, 'audit_chain_off')
  await bench.load.prepare('chain on', {
    senders: addMessages(on.service.port, on.tokens, on.sessions),
    expect: SUCCESS
  })
  await bench.load.prepare('chain off', {
    senders: addMessages(off.service.port, off.tokens, off.sessions),
    expect: SUCCESS
  })
  const measured = await alternate(bench, [
    loadSide(bench, 'chain on', 'chain on', [on.service]),
    loadSide(bench, 'chain off', 'chain off', [off.service])
  ])

  const [row] = await on.database.query<{ rows: number; chained: number }>(
    'select (select count(*)::int from audit_log) as rows, (select count(*)::int from audit_chain) as chained'
  )
  if (row === undefined || row.rows !== row.chained)
    throw new Error(`Of ${row?.rows} audit rows ${row?.chained} are chained.`)
  await on.end()
  await off.end()
  return {
    rows: [
      ratioRow(`add_message, ${CONNECTIONS} connections, audit chain on ÷ off`, measured, 'chain on', 'chain off', 0.9)
    ],
    notes: [...sideNotes(measured), `all ${row.rows} audit rows were chained`].map(note => `audit-chain: ${note}`)
  }
}
