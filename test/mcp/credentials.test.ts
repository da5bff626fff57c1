import t from 'tap'
import { type Answer, API_KEY, call, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { token } from '../support/samples.js'
import { callTool, eventually, initialize, openSession, post, request } from './clients.js'

const app = await startApp(t)

async function stream(session: Record<string, string>, more: Record<string, string>): Promise<Answer> {
  return sent('GET', { accept: 'text/event-stream', ...session, ...more })
}

async function end(session: Record<string, string>, more: Record<string, string>): Promise<Answer> {
  return sent('DELETE', { ...session, ...more })
}

async function sent(method: 'GET' | 'DELETE', headers: Record<string, string>): Promise<Answer> {
  const response = await app.server.inject({ method, url: '/mcp', headers })
  const { statusCode: status, body } = response
  return { status, headers: response.headers, body: body === '' ? undefined : response.json() }
}

for (const era of ['legacy', 'modern'] as const) {
  const who = async (headers: Record<string, string>, args = {}) =>
    (await callTool(app, era, 'get_usage_guidance', args, headers)).structuredContent.agent_info
  const list = async (headers = {}) => request(app, era, 'tools/list', {}, headers)

  t.test(`${era}: a bad token in a header is HTTP 401`, async t => {
    for (const authorization of ['Bearer None', 'Bearer', 'Basic abc', 'None', `Bearer ${'x'.repeat(50)}`]) {
      for (const [method, params] of [
        ['tools/list', {}],
        ['resources/list', {}],
        ['tools/call', { name: 'list_sessions', arguments: {} }],
        ['tools/call', { name: 'no_such_tool' }]
      ] as const) {
        const { status, headers, body } = await request(app, era, method, params, {
          authorization,
          'x-api-key': API_KEY
        })
        t.equal(status, 401, `${authorization} ${method}`)
        t.match(headers['www-authenticate'], /^Bearer error="invalid_token"/)
        t.match(body, {
          jsonrpc: '2.0',
          id: 1,
          error: { code: -32000, message: String, data: { success: false, code: 'INVALID_TOKEN' } }
        })
        isFailure(t, { status, headers, body: body.error.data }, 'INVALID_TOKEN')
      }
    }
  })

  t.test(`${era}: bad credentials in a header are HTTP 401 for every request`, async t => {
    const session = era === 'legacy' ? await openSession(app) : {}
    const own = { name: 'authenticate_agent', arguments: { agent_id: 'a', agent_type: 'x', api_key: API_KEY } }
    for (const [code, bad] of [
      ['INVALID_API_KEY', { 'x-api-key': 'wrong' }],
      ['INVALID_TOKEN', { authorization: 'Bearer stale' }]
    ] as const) {
      const asked = [
        era === 'legacy' ? await post(app, initialize(), bad) : await request(app, era, 'server/discover', {}, bad),
        await list({ ...session, ...bad }),
        await request(app, era, 'tools/call', own, { ...session, ...bad }),
        await post(app, { jsonrpc: '2.0', method: 'notifications/initialized' }, { ...session, ...bad }),
        ...(era === 'legacy' ? [await stream(session, bad), await end(session, bad)] : [])
      ]
      for (const { status, headers, body } of asked) {
        t.equal(status, 401, code)
        t.match(headers['www-authenticate'], /^Bearer/)
        t.equal(body.error.data.code, code)
      }
    }
    if (era === 'legacy') t.equal((await list(session)).status, 200, 'the MCP session is still there')
  })

  t.test(`${era}: a variable that the client did not replace is named`, async t => {
    for (const [headers, written] of [
      [{ 'x-api-key': '${SCS_KEY}' }, '${SCS_KEY}'],
      [{ 'x-api-key': '$SCS_KEY' }, '$SCS_KEY'],
      [{ 'x-api-key': '{env:SCS_KEY}' }, '{env:SCS_KEY}'],
      [{ authorization: 'Bearer ${SCS_TOKEN:-none}' }, '${SCS_TOKEN}'],
      [{ authorization: 'Bearer $SCS_TOKEN' }, '$SCS_TOKEN']
    ] as const) {
      const { status, body } = await list(headers)
      t.equal(status, 401)
      t.match(body.error.message, `holds ${written}, a variable`, written)
    }
    const { body } = await list({ 'x-api-key': 'wr${ng' })
    t.notMatch(body.error.message, 'variable')
  })

  t.test(`${era}: a revoked token is 401 and says so`, async t => {
    const bearer = { authorization: `Bearer ${await token(app, 'leaver')}` }
    t.equal((await who(bearer)).agent_id, 'leaver')
    await callTool(app, era, 'revoke_token', {}, bearer)
    const refused = await eventually(
      () => list(bearer),
      ({ status }) => status !== 200
    )
    t.match(refused, { status: 401, body: { error: { data: { code: 'TOKEN_REVOKED' } } } })
  })

  t.test(`${era}: a bad token that is an argument is a tool result`, async t => {
    const bearer = { authorization: `Bearer ${await token(app, 'a')}` }
    const result = await callTool(app, era, 'refresh_token', { current_token: 'bad' }, bearer)
    t.match(result, { isError: true, said: { code: 'INVALID_TOKEN' } })
  })

  t.test(`${era}: without credentials there are lists, calls are refused`, async t => {
    const { body } = await list()
    t.ok('auth_token' in body.result.tools[3].inputSchema.properties)
    t.same(
      (await request(app, era, 'resources/list')).body.result.resources.map((one: any) => one.uri),
      ['server://info', 'docs://tools']
    )
    t.equal((await request(app, era, 'prompts/list')).body.result.prompts.length, 2)
    t.match(await callTool(app, era, 'list_sessions', {}), { isError: true, said: { code: 'AUTHENTICATION_REQUIRED' } })
    t.match(await request(app, era, 'resources/read', { uri: 'session://session_0123456789abcdef' }), {
      status: 200,
      body: { error: { data: { code: 'AUTHENTICATION_REQUIRED' } } }
    })
    t.match(await request(app, era, 'resources/read', { uri: 'server://info' }), {
      status: 200,
      body: { result: { contents: [{}] } }
    })
    t.equal(await who({}), null)
  })

  t.test(`${era}: the auth_token argument`, async t => {
    const auth_token = await token(app, 'by-argument')
    t.equal((await who({}, { auth_token })).agent_id, 'by-argument')
    t.equal((await who({ 'x-api-key': API_KEY }, { auth_token })).agent_id, 'by-argument', 'comes before the key')
    t.equal(
      (await who({ authorization: `Bearer ${await token(app, 'by-header')}` }, { auth_token })).agent_id,
      'by-header',
      'comes after the header'
    )
    t.equal(
      (await who({ 'x-api-key': API_KEY, 'x-agent-id': 'by-key' }, { auth_token: null })).agent_id,
      'by-key',
      'null is absent'
    )
    for (const bad of ['None', '', 17]) {
      const result = await callTool(app, era, 'list_sessions', { auth_token: bad }, { 'x-api-key': API_KEY })
      t.match(result, { isError: true, said: { code: 'INVALID_TOKEN' } }, 'a bad one never falls through to the key')
    }
    t.notOk(
      'auth_token' in (await list({ 'x-api-key': API_KEY })).body.result.tools[3].inputSchema.properties,
      'not listed beside a key'
    )
  })

  t.test(`${era}: the key alone names the agent after the client`, async t => {
    const session = era === 'legacy' ? await openSession(app, ' Claude\u0007 Code ') : {}
    t.match(await who({ ...session, 'x-api-key': API_KEY }), {
      agent_id: era === 'legacy' ? 'Claude Code' : 'a modern client',
      agent_type: 'mcp'
    })
    t.match(await who({ ...session, 'x-api-key': API_KEY, 'x-agent-id': 'chosen', 'x-agent-type': 'reviewer' }), {
      agent_id: 'chosen',
      agent_type: 'reviewer'
    })
  })
}

t.test('a client without a name, or without a session, is mcp-client', async t => {
  for (const headers of [{}, await openSession(app, ''), await openSession(app, '\u0001 ')]) {
    t.equal(
      (await callTool(app, 'legacy', 'get_usage_guidance', {}, { ...headers, 'x-api-key': API_KEY })).structuredContent
        .agent_info.agent_id,
      'mcp-client'
    )
  }
  const long = await openSession(app, '😀'.repeat(500))
  t.equal(
    (await callTool(app, 'legacy', 'get_usage_guidance', {}, { ...long, 'x-api-key': API_KEY })).structuredContent
      .agent_info.agent_id,
    '😀'.repeat(100)
  )
})

t.test('refused credentials are audited and counted once', async t => {
  // Its own: beyond ten refusals a minute rows are summed up.
  const app = await startApp(t)
  const request_id = 'a-refused-request'
  await request(
    app,
    'legacy',
    'tools/call',
    { name: 'get_memory', arguments: { key: 'k' } },
    { authorization: 'Bearer None', 'x-request-id': request_id }
  )
  await request(app, 'legacy', 'tools/list', {}, { authorization: 'Bearer None', 'x-request-id': `${request_id}-2` })
  await request(
    app,
    'legacy',
    'prompts/get',
    { name: 'setup-collaboration', arguments: { purpose: 'p', expert_roles: 'r' } },
    { 'x-api-key': 'wrong', 'x-request-id': `${request_id}-3` }
  )
  await request(
    app,
    'legacy',
    'prompts/get',
    { name: 'debug-session', arguments: { session_id: 's' } },
    { 'x-api-key': 'wrong', 'x-request-id': `${request_id}-4` }
  )
  const rows = async () =>
    app.database.db
      .selectFrom('audit_log')
      .select(['event_type', 'action', 'request_id'])
      .where('request_id', 'like', `${request_id}%`)
      .orderBy('id')
      .execute()
  t.same(
    (await eventually(rows, found => found.length === 4)).map(row => [row.event_type, row.action]).sort(),
    ['get_memory', 'mcp', 'mcp', 'mcp'].map(action => ['credential_refused', action])
  )
  const { body } = await app.server.inject({ url: '/metrics' })
  t.match(body, 'mcp_requests_total{tool="get_memory",status="error"} 1')
  t.notMatch(body, 'tool="mcp"')
})

t.test('lists, prompts and subscriptions count as calls of their agent', async t => {
  const app = await startApp(t, { RATE_LIMIT_AGENT_PER_MINUTE: '4' })
  const subscribe = { uri: 'session://session_0123456789abcdef' }
  for (const [i, [method, params]] of (
    [
      ['tools/list', {}],
      ['resources/list', {}],
      ['prompts/get', { name: 'setup-collaboration', arguments: { purpose: 'p', expert_roles: 'r' } }],
      ['resources/subscribe', subscribe]
    ] as const
  ).entries()) {
    const key = { 'x-api-key': API_KEY, 'x-agent-id': `busy-${i}` }
    const headers = { ...(await openSession(app)), ...key }
    for (let n = 0; n < 4; n++) await request(app, 'legacy', method, params, headers)
    t.match(
      (await request(app, 'legacy', method, params, headers)).body,
      {
        error: { data: { code: 'RATE_LIMITED', context: { limit_of: 'agent' } } }
      },
      method
    )
  }
})

t.test('a refused subscription is audited once, with its agent and workspace', async t => {
  const { api_key: key } = await ok(
    app,
    'create_api_key',
    { agent_id: 'deaf', agent_type: 'x', permissions: ['write'], workspace: 'elsewhere' },
    { admin: true }
  )
  const uri = 'session://session_0123456789abcdef'
  const filter = { notifications: { resourceSubscriptions: [uri] } }
  for (const [era, method, params] of [
    ['legacy', 'resources/subscribe', { uri }],
    ['modern', 'subscriptions/listen', filter]
  ] as const) {
    const session = era === 'legacy' ? await openSession(app) : {}
    const headers = { ...session, 'x-api-key': key, 'x-request-id': `refused-${era}` }
    const { body } = await request(app, era, method, params, headers)
    t.match(body, { error: { data: { code: 'PERMISSION_DENIED' } } })
    const rows = async () =>
      app.database.db
        .selectFrom('audit_log')
        .select(['event_type', 'action', 'workspace', 'agent_id'])
        .where('request_id', '=', `refused-${era}`)
        .execute()
    t.same(await eventually(rows, found => found.length > 0), [
      { event_type: 'permission_denied', action: method, workspace: 'elsewhere', agent_id: 'deaf' }
    ])
  }
})

t.test('with AUTH_ENABLED=false a client without credentials is named after itself', async t => {
  const open = await startApp(t, { AUTH_ENABLED: 'false' })
  const session = await openSession(open, 'laptop')
  t.match((await callTool(open, 'legacy', 'get_usage_guidance', {}, session)).structuredContent.agent_info, {
    agent_id: 'laptop',
    permissions: ['read', 'write']
  })
  t.match((await callTool(open, 'modern', 'create_session', { purpose: 'open' })).structuredContent, {
    created_by: 'a modern client'
  })
  t.match((await call(open, 'create_session', { purpose: 'open' }, { anonymous: true })).body, {
    created_by: 'anonymous'
  })
})
