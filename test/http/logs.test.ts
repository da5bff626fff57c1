import { sql } from 'kysely'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, call, JWT_SECRET, newSession, ok, startApp } from '../helper.js'

const PRIVATE = 'zebra-crossing-7731'

t.test('a log line a call, with its request id, and no content, value, key or token in any', async t => {
  const app = await startApp(t, { LOG_LEVEL: 'trace' })
  const session_id = await newSession(app, {}, `purpose ${PRIVATE}`)
  const given = { headers: { 'x-request-id': 'request-of-mine' } }
  const { headers } = await call(
    app,
    'add_message',
    { session_id, content: PRIVATE, metadata: { note: PRIVATE } },
    given
  )
  t.equal(headers['x-request-id'], 'request-of-mine')
  await ok(app, 'set_memory', { key: PRIVATE, value: { secret: PRIVATE } })
  await ok(app, 'search_context', { session_id, query: PRIVATE })
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  await call(app, 'list_sessions', {}, { token: `${token}x` })
  await call(app, 'list_sessions', {}, { headers: { 'x-api-key': `${API_KEY}-wrong` } })
  await call(app, 'add_message', { session_id, [PRIVATE]: PRIVATE })

  t.ok(
    app.logged.some(
      line =>
        line.request_id === 'request-of-mine' &&
        line.tool === 'add_message' &&
        line.agent_id === 'agent-1' &&
        typeof line.ms === 'number'
    )
  )
  const text = JSON.stringify(app.logged)
  for (const secret of [PRIVATE, API_KEY, ADMIN_API_KEY, JWT_SECRET, token, new URL(app.url).password])
    t.notOk(text.includes(secret), 'not in the log')
  t.ok(app.logged.some(line => line.code === 'INVALID_TOKEN'))
})

t.test('a fault of ours is logged with its stack under the request id, and told without either', async t => {
  const app = await startApp(t, { LOG_LEVEL: 'info' })
  const session_id = await newSession(app)
  await sql`alter table messages add constraint broken check (content <> ${sql.lit(PRIVATE)})`.execute(app.database.db)
  const { status, body } = await call(app, 'add_message', { session_id, content: PRIVATE })
  t.equal(status, 500)
  t.match(body, { success: false, code: 'INTERNAL_ERROR', error: 'Something went wrong inside the server.' })
  t.notMatch(JSON.stringify(body), /constraint|broken|messages|at /)
  const line = app.logged.find(line => line.request_id === body.request_id && line.err !== undefined)
  t.match(line, { level: 50, err: { code: '23514', constraint: 'broken', stack: /at / } })
  t.notOk(JSON.stringify(app.logged).includes(PRIVATE))
})
