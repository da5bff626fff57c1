import t from 'tap'
import { API_KEY, call, listen, ok, startApp, type Answer, type TestApp } from '../helper.js'
import { openSession } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { post } from '../support/raw-http.js'
import { until } from '../support/rest.js'

/** API keys sent as bearer, by clients that can set no other header; placeholders that a client did not replace. */

const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '0' })
const bearer = (key: string, more: Record<string, string> = {}) => ({
  anonymous: true,
  headers: { authorization: `Bearer ${key}`, ...more }
})
const { api_key: own_key, key_id } = await ok(
  app,
  'create_api_key',
  { agent_id: 'planner', agent_type: 'planning' },
  { admin: true }
)

async function creator(answer: Promise<Answer>): Promise<unknown> {
  const { status, body } = await answer
  return status === 200 ? body.created_by : body.code
}

t.test('over REST it is as if it came as X-API-Key', async t => {
  const create = (key: string, more?: Record<string, string>) =>
    call(app, 'create_session', { purpose: 'by bearer' }, bearer(key, more))
  t.equal(await creator(create(API_KEY, { 'x-agent-id': 'ada' })), 'ada')
  t.equal(await creator(create(own_key)), 'planner', 'a key for one name says who calls')
  const unnamed = await create(API_KEY)
  isFailure(t, unnamed, 'AUTHENTICATION_REQUIRED')
  t.match(unnamed.body, { context: { missing_header: 'X-Agent-Id' } })
  isFailure(t, await create(own_key, { 'x-agent-id': 'somebody' }), 'PERMISSION_DENIED')
  isFailure(t, await create(`${own_key.slice(0, -1)}_`), 'INVALID_API_KEY', 'one that is wrong')
  isFailure(t, await create(`${API_KEY}x`, { 'x-agent-id': 'ada' }), 'INVALID_TOKEN', 'neither key nor token')
  isFailure(
    t,
    await create('None', { 'x-api-key': API_KEY, 'x-agent-id': 'ada' }),
    'INVALID_TOKEN',
    'a bad one is not replaced by another credential'
  )
  isFailure(
    t,
    await call(app, 'refresh_token', {}, bearer(API_KEY, { 'x-agent-id': 'ada' })),
    'AUTHENTICATION_REQUIRED'
  )
})

t.test('authenticate_agent takes it', async t => {
  const args = { agent_id: 'ada', agent_type: 'x' }
  t.equal((await call(app, 'authenticate_agent', args, bearer(API_KEY))).status, 200)
  const { token } = await ok(app, 'authenticate_agent', args)
  isFailure(t, await call(app, 'authenticate_agent', args, bearer(token)), 'INVALID_API_KEY', 'but not a token')
  isFailure(t, await call(app, 'authenticate_agent', args, bearer('wrong')), 'INVALID_API_KEY')
  t.equal(
    (await call(app, 'authenticate_agent', { ...args, api_key: API_KEY }, bearer('None'))).status,
    200,
    'its own argument comes first'
  )
})

t.test('over MCP it is enough', async t => {
  const base = await listen(app)
  const create = async (headers: Record<string, string>, purpose = 'by MCP') => {
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'create_session', arguments: { purpose } }
    }
    return post(base, '/mcp', JSON.stringify(message), headers)
  }
  const session = await openSession(app)
  for (const purpose of ['short', 'long '.repeat(199)]) {
    const { body } = await create({ ...session, authorization: `Bearer ${API_KEY}` }, purpose)
    t.match(body.result, { structuredContent: { success: true } })
    t.not(body.result.structuredContent.created_by, 'mcp-client', 'named after the client')
    const named = await create({ ...session, authorization: `Bearer ${API_KEY}`, 'x-agent-id': 'ada' }, purpose)
    t.match(named.body.result, { structuredContent: { created_by: 'ada' } })
  }
  const large = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'set_memory', arguments: { key: 'k', value: 1 } }
  }).padEnd(600 * 1024)
  const { body } = await post(base, '/mcp', large, { authorization: `Bearer ${API_KEY}` })
  t.match(body.result, { structuredContent: { success: true } }, 'it may send a large body')
  const refused = await create({ ...session, authorization: `Bearer ${own_key.slice(0, -1)}_` })
  t.match(refused, { status: 401, body: { error: { data: { code: 'INVALID_API_KEY' } } } })
})

t.test('it ends as it does elsewhere', async t => {
  await ok(app, 'revoke_api_key', { key_id }, { admin: true })
  await until('revoked', async () => (await call(app, 'list_sessions', {}, bearer(own_key))).status === 401)
  isFailure(t, await call(app, 'list_sessions', {}, bearer(own_key)), 'INVALID_API_KEY')
})

t.test('guesses count', async t => {
  const limited: TestApp = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '3' })
  const guess = () => call(limited, 'list_sessions', {}, bearer(`${own_key.slice(0, -2)}xx`))
  for (let i = 0; i < 3; i++) isFailure(t, await guess(), 'INVALID_API_KEY')
  isFailure(t, await guess(), 'RATE_LIMITED')
  t.equal((await call(limited, 'list_sessions', {}, bearer(API_KEY, { 'x-agent-id': 'ada' }))).status, 200)
})

t.test('a variable that was not replaced is named', async t => {
  const name = { 'x-agent-id': 'ada' }
  for (const [what, code, as] of [
    ['as bearer', 'INVALID_TOKEN', bearer('${SCS_TOKEN}', name)],
    ['as bearer, with spaces', 'INVALID_TOKEN', bearer('${input: my token}', name)],
    ['instead of the header', 'INVALID_TOKEN', { anonymous: true, headers: { authorization: '${AUTH}', ...name } }],
    ['as key', 'INVALID_API_KEY', { anonymous: true, headers: { 'x-api-key': '${env:API_KEY}', ...name } }]
  ] as const) {
    const answer = await call(app, 'list_sessions', {}, as)
    isFailure(t, answer, code, what)
    t.match(answer.body.error, /holds \$\{\w+\}, a variable that your client did not replace/, what)
  }
  const args = { agent_id: 'ada', agent_type: 'x', api_key: '${API_KEY}' }
  const answer = await call(app, 'authenticate_agent', args, { anonymous: true })
  t.match(answer.body, { code: 'INVALID_API_KEY', error: /API_KEY\}, a variable/ })
})
