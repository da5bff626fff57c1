import t from 'tap'
import { lagOf } from '../../src/audit/chain/lag.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

const ADMIN = { admin: true, agent_id: 'auditor' }
const app = await startApp(t, { AUDIT_HMAC_KEY: 'audit-key-of-tests-0123456789-0123456789', LOG_LEVEL: 'info' })
const { pool } = app.database

/** Not by the metrics, which share an answer for a moment. */
async function lag(): Promise<number> {
  return (await lagOf(app.database.db)).rows
}

t.test('what agents do is chained by itself, and verified in as many calls as one likes', async t => {
  const session_id = await newSession(app)
  for (let n = 0; n < 5; n++)
    await ok(app, 'add_messages', { session_id, messages: Array.from({ length: 50 }, () => ({ content: 'x' })) })
  await until(async () => (await lag()) === 0, 'all is chained')
  const page = (await app.server.inject('/metrics')).body
  for (const line of [/^audit_chain_lag_rows 0$/m, /^audit_chain_lag_seconds 0$/m]) t.match(page, line)
  const first = await ok(app, 'verify_audit_log', {}, ADMIN)
  t.match(first, { state: 'intact', fault: null, first_seq: 1, has_more: false, next_cursor: null })
  t.ok(first.rows_checked >= 251)
  t.equal(first.last_seq, first.rows_checked)

  // The page of one statement is the least that a call reads.
  let rows = 0
  let cursor: string | null = null
  await pool.query(
    "insert into audit_log (event_type, action, result, request_id) select 'message_added', " +
      "'add_message', 'success', n::text from generate_series(1, 4500) n"
  )
  await until(async () => (await lag()) === 0, 'those too')
  let calls = 0
  do {
    const answer: any = await ok(app, 'verify_audit_log', { limit: 1, cursor }, ADMIN)
    t.equal(answer.state, answer.has_more ? 'unfinished' : 'intact')
    rows += answer.rows_checked
    cursor = answer.next_cursor
    calls++
  } while (cursor !== null)
  t.equal(calls, 3)
  t.ok(rows >= first.rows_checked + 4500)
})

t.test('heads are told in the log', async t => {
  const heads = app.logged.filter(({ msg }) => msg === 'audit head')
  t.match(heads[0], {
    audit_head: {
      workspace: 'default',
      seq: Number,
      mac: /^[0-9a-f]{64}$/,
      signature: /^[0-9a-f]{64}$/,
      signed_at: String
    }
  })
})

t.test('a row that was altered is named, to admins only', async t => {
  const {
    entries: [entry]
  } = await ok(app, 'get_audit_log', { event_type: 'session_created', limit: 1 }, ADMIN)
  await pool.query('alter table audit_log disable trigger append_only')
  await pool.query("update audit_log set agent_id = 'somebody else' where id = $1", [entry.id])
  await pool.query('alter table audit_log enable trigger append_only')
  t.match(await ok(app, 'verify_audit_log', {}, ADMIN), {
    state: 'faulty',
    fault: { kind: 'altered', audit_id: entry.id },
    has_more: false
  })
  isFailure(t, await call(app, 'verify_audit_log'), 'PERMISSION_DENIED')
  for (const cursor of [
    'nonsense',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('[1,"x"]').toString('base64url')
  ])
    isFailure(t, await call(app, 'verify_audit_log', { cursor }, ADMIN), 'INVALID_INPUT')
})

t.test('without a key there is no chain, and it says so', async t => {
  const without = await startApp(t)
  t.match(await ok(without, 'verify_audit_log', {}, ADMIN), { state: 'off', fault: null })
  t.notMatch((await without.server.inject('/metrics')).body, /audit_chain/)
})
