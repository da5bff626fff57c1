import t from 'tap'
import { connect } from '../../src/postgres/connect.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { API_KEY, environment, runProgram } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { optionsFor } from '../support/database.js'
import { holding, waits } from '../support/holding.js'
import { until } from '../support/until.js'

/** A replica that is killed while it sweeps a long session that was deleted: another, or the next, goes on. */

const { url, drop } = await createDatabase()
const { db: service, pool, close } = connect(optionsFor(url))
const db = acrossWorkspaces(service)
t.teardown(async () => {
  await close()
  await drop()
})

const MANY = 60_000
const left = async (): Promise<number> =>
  Number((await pool.query<{ n: string }>('select count(*) as n from messages')).rows[0]?.n)

async function ask(base: string, tool: string, args: Record<string, unknown>): Promise<{ status: number; body: any }> {
  const response = await fetch(`${base}/mcp/tool/${tool}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'x-agent-id': 'writer' },
    body: JSON.stringify(args)
  })
  return { status: response.status, body: await response.json() }
}

t.test('killed in the middle of a sweep', async t => {
  const env = environment(url, { LOG_LEVEL: 'warn' })
  const first = await runProgram(t, ['serve'], env)
  const {
    body: { session_id }
  } = await ask(first.url, 'create_session', { purpose: 'a long one' })
  await pool.query(
    'insert into messages (session_id, seq, sender, sender_type, content, visibility) select ' +
      `$1, n, 'writer', 'x', 'The dugong ' || n, 'public' from generate_series(1, ${MANY}) n`,
    [session_id]
  )
  await pool.query(
    'insert into search_pending (session_id, message_id) select session_id, id from messages where seq % 3 = 0'
  )
  await pool.query(`update sessions set last_seq = ${MANY}, public_count = ${MANY}`)
  const {
    body: { session_id: other }
  } = await ask(first.url, 'create_session', { purpose: 'another' })
  await ask(first.url, 'add_message', { session_id: other, content: 'stays' })

  // The sweep comes so far and no further, however fast it is.
  const held = await holding(t, { url })
  await held.query('select from messages where session_id = $1 and seq = $2 for update', [session_id, MANY / 4])
  const began = performance.now()
  t.equal((await ask(first.url, 'delete_session', { session_id })).status, 200)
  const took = performance.now() - began
  t.ok((await left()) > MANY / 2, `answered after ${Math.round(took)} ms, long before its messages are gone`)
  t.equal((await ask(first.url, 'get_messages', { session_id })).body.code, 'SESSION_NOT_FOUND')
  t.equal(
    (await ask(first.url, 'search_context', { query: 'dugong' })).body.message_count,
    0,
    'found nowhere, though its messages are there'
  )
  await waits({ database: { pool } }, 'delete from messages')
  t.ok((await left()) < MANY, 'the sweep has begun')
  await first.stop('SIGKILL')
  const then = await left()
  t.ok(then > 1, `killed with ${then} messages left`)

  const second = await runProgram(t, ['serve'], env)
  t.equal((await ask(second.url, 'get_session', { session_id })).body.code, 'SESSION_NOT_FOUND')
  t.equal((await ask(second.url, 'search_context', { query: 'dugong' })).body.message_count, 0)
  t.equal(await left(), then)
  await held.release()
  await until(async () => (await left()) === 1, 'the rest is swept', 60_000)
  await until(
    async () => (await db.selectFrom('deleted_sessions').selectAll().execute()).length === 0,
    'and nothing is left to do'
  )
  for (const table of ['message_terms', 'search_pending'] as const)
    t.same(await db.selectFrom(table).select('message_id').where('session_id', '=', session_id).execute(), [], table)
  t.equal((await ask(second.url, 'get_messages', { session_id: other })).body.count, 1)
  t.equal(await second.stop(), 0)
})
