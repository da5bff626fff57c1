import t, { type Test } from 'tap'
import {
  ADMIN_API_KEY,
  type Answer,
  API_KEY,
  call,
  credentials,
  newSession,
  ok,
  startApp,
  type TestApp
} from '../helper.js'
import { callTool, initialize, openSession, post, request, saidBy } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/rest.js'

/**
 * How often callers may call, and how guesses are slowed down. How it is counted:
 * test/limits/rate-limit-shares.test.ts.
 */

const WRONG = { anonymous: true, headers: { 'x-api-key': 'a wrong key', 'x-agent-id': 'guesser' } }

function isLimited(t: Test, answer: Answer, limit_of: string, limit: number): void {
  isFailure(t, answer, 'RATE_LIMITED', limit_of)
  t.match(answer.body.context, { limit_of, limit, window_seconds: 60 })
  t.ok(answer.body.retry_after >= 1 && answer.body.retry_after <= 60, `wait ${answer.body.retry_after} s`)
  t.match(answer.headers['ratelimit'], new RegExp(`"${limit_of}";r=0;t=${answer.body.retry_after}(,|$)`))
  t.match(answer.headers['ratelimit-policy'], new RegExp(`"${limit_of}";q=${limit};w=60(,|$)`))
}

/** Calls until one is refused. @returns how many were not, and that one */
async function until429(ask: () => Promise<Answer>, most: number): Promise<{ passed: number; refused: Answer }> {
  for (let passed = 0; passed <= most; passed++) {
    const answer = await ask()
    if (answer.status === 429) return { passed, refused: answer }
  }
  throw new Error(`None of ${most} was refused.`)
}

t.test('an agent may call so often, by REST and MCP together; others are not slowed', async t => {
  const app = await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '8' })
  const as = { agent_id: 'busy' }
  const first = await call(app, 'list_sessions', {}, as)
  t.match(first.headers, {
    'ratelimit-policy': '"address";q=600000;w=60, "agent";q=8;w=60, "key";q=600000;w=60',
    ratelimit: /^"address";r=\d+;t=60, "agent";r=7;t=60, "key";r=\d+;t=60$/
  })
  for (let i = 0; i < 3; i++) t.equal((await call(app, 'list_sessions', {}, as)).status, 200)
  for (const era of ['legacy', 'modern'] as const) {
    for (let i = 0; i < 2; i++)
      t.match(await callTool(app, era, 'list_sessions', {}, credentials(as)), { structuredContent: { success: true } })
  }
  isLimited(t, await call(app, 'list_sessions', {}, as), 'agent', 8)
  for (const era of ['legacy', 'modern'] as const) {
    const {
      headers,
      body: { result }
    } = await request(app, era, 'tools/call', { name: 'list_sessions', arguments: {} }, credentials(as))
    t.equal(result.isError, true)
    t.match(saidBy(result), { code: 'RATE_LIMITED', retry_after: Number })
    t.match(headers.ratelimit, /"agent";r=0;t=\d+/, `${era}: in the headers too`)
  }
  const stream = await app.server.inject({
    url: `/mcp/sessions/${await newSession(app)}/events`,
    headers: credentials(as)
  })
  isLimited(t, { status: stream.statusCode, headers: stream.headers, body: stream.json() }, 'agent', 8)
  t.equal((await call(app, 'list_sessions', {}, { agent_id: 'quiet' })).status, 200)
  t.match(
    await call(app, 'authenticate_agent', { agent_id: 'busy', agent_type: 'x', api_key: API_KEY }, { anonymous: true }),
    { status: 429 },
    'nor does it get tokens'
  )
})

t.test('a flooded agent does not slow another', async t => {
  const app = await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '100' })
  const flood = Promise.all(
    Array.from({ length: 600 }, () => call(app, 'get_usage_guidance', {}, { agent_id: 'flood' }))
  )
  const others = await Promise.all(
    Array.from({ length: 50 }, (_, i) => call(app, 'list_sessions', {}, { agent_id: `other-${i % 5}` }))
  )
  t.ok(others.every(({ status }) => status === 200))
  t.equal((await flood).filter(({ status }) => status === 200).length, 100)
})

t.test('more agents than there are database connections authenticate at once', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '2' })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      call(app, 'authenticate_agent', { agent_id: `new-${i}`, agent_type: 'x', api_key: API_KEY }, { anonymous: true })
    )
  )
  t.same(
    answers.map(({ status }) => status),
    answers.map(() => 200),
    'being counted does not take one away from whom it counts'
  )
})

t.test('so may all agents with one key', async t => {
  const app = await startApp(t, { RATE_LIMIT_KEY_PER_MINUTE: '5' })
  let n = 0
  const { passed, refused } = await until429(() => call(app, 'list_sessions', {}, { agent_id: `agent-${n++}` }), 10)
  t.equal(passed, 5)
  isLimited(t, refused, 'key', 5)
})

t.test('three replicas on one database let through no more than one', async t => {
  const app = await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '60' })
  const replicas = [
    app,
    await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '60' }, app),
    await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '60' }, app)
  ]
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) => call(replicas[i % 3] as TestApp, 'list_sessions', {}, { agent_id: 'spread' }))
  )
  t.equal(answers.filter(({ status }) => status === 200).length, 60)
  for (const answer of answers.filter(({ status }) => status !== 200)) t.equal(answer.body.code, 'RATE_LIMITED')
})

t.test('an address may send so many requests, whoever sends them, before anything of them is looked at', async t => {
  const app = await startApp(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '4' })
  t.equal((await call(app, 'list_sessions')).status, 200)
  t.equal((await call(app, 'list_sessions', {}, { anonymous: true })).status, 401)
  t.equal((await app.server.inject('/nothing')).statusCode, 404)
  t.equal((await post(app, initialize())).status, 200)
  isLimited(t, await call(app, 'list_sessions'), 'address', 4)
  isLimited(t, await call(app, 'no_such_tool', {}, WRONG), 'address', 4)
  const mcp = await post(app, initialize())
  t.match(mcp, {
    status: 429,
    headers: { 'retry-after': /^\d+$/, ratelimit: /"address";r=0/ },
    body: { jsonrpc: '2.0', error: { data: { code: 'RATE_LIMITED', retry_after: Number } } }
  })
  t.equal(mcp.headers['retry-after'], String(mcp.body.error.data.retry_after))
  t.equal((await app.server.inject({ url: '/mcp/events', headers: credentials({}) })).statusCode, 429)
  for (const url of ['/health', '/health/live', '/health/ready', '/metrics'])
    t.equal((await app.server.inject(url)).statusCode, 200, `${url} is asked by machines`)
  const elsewhere = await app.server.inject({
    method: 'POST',
    url: '/mcp/tool/list_sessions',
    remoteAddress: '192.0.2.1',
    headers: credentials({})
  })
  t.equal(elsewhere.statusCode, 200, 'another address')
})

t.test('an IPv6 network counts as one address; who sits behind a proxy is believed as far as the proxy is', async t => {
  const app = await startApp(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1' })
  const from = async (remoteAddress: string, forwarded?: string) =>
    (
      await app.server.inject({
        method: 'POST',
        url: '/mcp/tool/list_sessions',
        remoteAddress,
        headers: { ...credentials({}), ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) }
      })
    ).statusCode
  t.same(
    [await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3'), await from('2001:db8:0:1::3')],
    [200, 200, 429, 200]
  )
  t.same(
    [
      await from('127.0.0.1', '192.0.2.1'),
      await from('127.0.0.1', '192.0.2.1'),
      await from('127.0.0.1', '192.0.2.1'),
      await from('127.0.0.1', '192.0.2.2')
    ],
    [200, 200, 429, 200]
  )
  t.same(
    [await from('192.0.2.9', '10.0.0.1'), await from('192.0.2.9', '10.0.0.2'), await from('192.0.2.9', '10.0.0.3')],
    [200, 200, 429],
    'nobody else can make up where it comes from'
  )
})

t.test('each message of a batch counts', async t => {
  const app = await startApp(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '10' })
  const batch = (n: number) => Array.from({ length: n }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' }))
  t.equal((await post(app, batch(8))).status, 200)
  t.equal((await post(app, batch(5))).status, 429)
})

t.test('with a good key, opening MCP sessions counts for the key and the workspace, not for the address', async t => {
  const app = await startApp(t, { RATE_LIMIT_INITIALIZE_PER_MINUTE: '2' })
  const own = async (agent_id: string) =>
    (await ok(app, 'create_api_key', { agent_id, agent_type: 'x' }, { admin: true })).api_key as string
  const keys = [await own('a'), await own('b'), await own('c')]
  const open = async (key?: string) => post(app, initialize(), key === undefined ? {} : { 'x-api-key': key })
  for (let i = 0; i < 2; i++) t.equal((await open()).status, 200)
  const limited = (limit_of: string) => ({ status: 429, body: { error: { data: { context: { limit_of } } } } })
  t.match(await open(), limited('initialize'))
  for (let i = 0; i < 10; i++) t.equal((await open(keys[0])).status, 200, 'five times as many')
  t.match(await open(keys[0]), limited('initialize_key'))
  for (let i = 0; i < 10; i++) t.equal((await open(keys[1])).status, 200)
  t.match(await open(keys[2]), limited('initialize_workspace'))
  t.match(await open('wrong'), { status: 401 })
  const {
    rows: [row]
  } = await app.database.pool.query<{ count: number }>('select count(*)::int as count from mcp_sessions')
  t.equal(row?.count, 22, 'what was refused left nothing')
})

t.test('MCP sessions are opened so often from one address', async t => {
  const app = await startApp(t, { RATE_LIMIT_INITIALIZE_PER_MINUTE: '3' })
  for (let i = 0; i < 3; i++) t.match(await openSession(app), { 'mcp-session-id': /.{40}/ })
  t.match(await post(app, initialize()), {
    status: 429,
    body: { error: { data: { code: 'RATE_LIMITED', context: { limit_of: 'initialize' } } } }
  })
  const {
    rows: [row]
  } = await app.database.pool.query<{ count: number }>('select count(*)::int as count from mcp_sessions')
  t.equal(row?.count, 3, 'what was refused left nothing')
  t.match(
    await callTool(app, 'legacy', 'list_sessions', {}, credentials({})),
    { structuredContent: { success: true } },
    'calls go on'
  )
})

t.test('wrong keys are slowed down, then RATE_LIMITED; a right one is taken all the while', async t => {
  const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '10' })
  const took: number[] = []
  for (let i = 0; i < 8; i++) {
    const began = performance.now()
    t.equal((await call(app, 'list_sessions', {}, WRONG)).status, 401)
    took.push(performance.now() - began)
    t.equal((await call(app, 'list_sessions')).status, 200)
  }
  t.ok((took[7] as number) >= 390 && (took[6] as number) >= 190, 'later and later')
  const held = Array.from({ length: 2 }, () => call(app, 'list_sessions', {}, WRONG))
  const { refused } = await until429(() => call(app, 'list_sessions', {}, WRONG), 1)
  isLimited(t, refused, 'failure', 10)
  t.ok(app.load.in_flight === 0, 'answers that are held back take no place of others')
  t.equal((await call(app, 'list_sessions')).status, 200)

  const bad = 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x'
  t.match(
    await call(app, 'list_sessions', {}, { anonymous: true, headers: { authorization: bad } }),
    { status: 429 },
    'a wrong token'
  )
  t.match(
    await call(app, 'authenticate_agent', { agent_id: 'a', agent_type: 'x', api_key: 'wrong' }, { anonymous: true }),
    { status: 429 }
  )
  for (const era of ['legacy', 'modern'] as const) {
    t.match(await request(app, era, 'tools/call', { name: 'list_sessions' }, { 'x-api-key': 'wrong' }), {
      status: 429,
      body: { error: { data: { code: 'RATE_LIMITED', retry_after: Number } } }
    })
    t.match(await request(app, era, 'tools/list', {}, { authorization: bad }), {
      status: 429,
      body: { error: { data: { code: 'RATE_LIMITED' } } }
    })
    t.match(
      await request(app, era, 'resources/list', {}, { 'x-api-key': 'wrong' }),
      { body: { error: { data: { code: 'RATE_LIMITED' } } } },
      'not even whether a key is right'
    )
    t.match(await callTool(app, era, 'list_sessions', {}, { 'x-api-key': ADMIN_API_KEY }), {
      structuredContent: { success: true }
    })
  }
  t.equal((await app.server.inject({ url: '/mcp/events', headers: WRONG.headers })).statusCode, 429)
  const again = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '10' }, app)
  t.equal((await call(again, 'list_sessions', {}, WRONG)).status, 429, 'on another replica too')
  t.equal((await call(again, 'list_sessions')).status, 200)
  const elsewhere = await app.server.inject({
    method: 'POST',
    url: '/mcp/tool/list_sessions',
    remoteAddress: '192.0.2.1',
    headers: WRONG.headers
  })
  t.equal(elsewhere.statusCode, 401, 'another address')
  t.same(
    (await Promise.all(held)).map(({ status }) => status),
    [401, 401]
  )
})

t.test('no credentials, expired and revoked tokens are no guesses', async t => {
  const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '1' })
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'a', agent_type: 'x' })
  await ok(app, 'revoke_token', {}, { token })
  await until('revoked', async () => (await call(app, 'list_sessions', {}, { token })).status !== 200)
  for (let i = 0; i < 5; i++) {
    t.equal((await call(app, 'list_sessions', {}, { anonymous: true })).body.code, 'AUTHENTICATION_REQUIRED')
    t.equal((await call(app, 'list_sessions', {}, { token })).body.code, 'TOKEN_REVOKED')
  }
})

t.test('ten thousand wrong keys, and a right one meanwhile', async t => {
  const app = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '300' })
  const counts: Record<number, number> = {}
  const right: unknown[] = []
  let n = 0
  const ask = async (key: string) => {
    const answer = await app.server.inject({
      method: 'POST',
      url: '/mcp/tool/list_sessions',
      headers: { 'x-api-key': key, 'x-agent-id': 'guesser' }
    })
    return answer
  }
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (n < 10_000) {
        const nth = n++
        // As over sockets: without it, requests that come by no socket keep the event loop from all else.
        await new Promise(resolve => setImmediate(resolve))
        const { statusCode } = await ask(`guess number ${nth}`)
        counts[statusCode] = (counts[statusCode] ?? 0) + 1
        if (nth % 500 !== 0) continue
        const answer = await ask(API_KEY)
        right.push(answer.statusCode === 200 ? 200 : answer.json())
      }
    })
  )
  t.same(counts, { 401: 300, 429: 9700 })
  t.same(right, new Array(20).fill(200))
  const {
    rows: [row]
  } = await app.database.pool.query<{ count: number }>(
    "select count(*)::int as count from audit_log where event_type = 'credential_refused'"
  )
  t.ok((row?.count ?? 0) < 30, 'nor do they fill the audit log')
})

t.test('0 switches a limit off, and its headers', async t => {
  const app = await startApp(t, {
    RATE_LIMIT_AGENT_PER_MINUTE: '0',
    RATE_LIMIT_KEY_PER_MINUTE: '0',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0'
  })
  const { status, headers } = await call(app, 'list_sessions')
  t.equal(status, 200)
  t.notOk('ratelimit' in headers || 'ratelimit-policy' in headers)
  for (let i = 0; i < 5; i++) t.equal((await call(app, 'list_sessions', {}, WRONG)).status, 401)
  const { rows } = await app.database.pool.query("select * from rate_limits where kind <> 'initialize'")
  t.same(rows, [])
})
