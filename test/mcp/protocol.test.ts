import t from 'tap'
import { API_KEY, startApp, listen as listenOn } from '../helper.js'
import { callTool, initialize, MODERN, openSession, post, request, saidBy } from './clients.js'

const app = await startApp(t, { BODY_LIMIT: '100000', CORS_ORIGINS: 'https://app.example.com' })
const list = { jsonrpc: '2.0', id: 'an id', method: 'tools/list' }

async function raw(method: string, payload: string | undefined, headers: Record<string, string>, url = '/mcp') {
  const response = await app.server.inject({
    method: method as 'POST',
    url,
    headers,
    ...(payload !== undefined && { payload })
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.body === '' ? undefined : response.json()
  }
}

t.test('what is wrong around the protocol is told as JSON-RPC', async t => {
  const json = { 'content-type': 'application/json' }
  const cases: Array<[string, string, Record<string, string>, number, number, string]> = [
    ['not JSON', '{', json, 400, -32700, 'INVALID_JSON'],
    [
      'too large',
      JSON.stringify({ ...list, params: { x: 'x'.repeat(100_001) } }),
      json,
      413,
      -32000,
      'PAYLOAD_TOO_LARGE'
    ],
    ['another type', 'text', { 'content-type': 'text/plain' }, 415, -32000, 'UNSUPPORTED_MEDIA_TYPE'],
    ['no type', '{}', {}, 415, -32000, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another host', '{}', { ...json, host: 'rebound.example' }, 403, -32000, 'PERMISSION_DENIED'],
    ['another origin', '{}', { ...json, origin: 'https://evil.example' }, 403, -32000, 'PERMISSION_DENIED'],
    [
      'another version',
      JSON.stringify(list),
      { ...json, 'mcp-protocol-version': '1999-01-01' },
      400,
      -32000,
      'INVALID_INPUT'
    ]
  ]
  for (const [what, payload, headers, status, code, ours] of cases) {
    for (const url of ['/mcp', '/mcp/']) {
      const answer = await raw('POST', payload, headers, url)
      t.match(
        answer,
        {
          status,
          body: { jsonrpc: '2.0', error: { code, message: /./, data: { success: false, code: ours } } },
          headers: { 'content-type': /^application\/json/ }
        },
        `${what} at ${url}`
      )
    }
  }
  for (const body of [
    {},
    [],
    'text',
    17,
    null,
    { jsonrpc: '1.0', id: 1, method: 'ping' },
    [list, 5],
    { ...list, id: {} }
  ]) {
    t.match(
      await post(app, JSON.stringify(body)),
      { status: 400, body: { jsonrpc: '2.0', error: { code: -32600 } } },
      JSON.stringify(body)
    )
  }
})

t.test('other methods', async t => {
  for (const method of ['GET', 'PUT', 'PATCH']) {
    const answer = await raw(method, undefined, { accept: 'text/event-stream' })
    t.match(
      answer,
      {
        status: 405,
        headers: { allow: 'GET, POST, DELETE' },
        body: { error: { data: { code: 'METHOD_NOT_ALLOWED' } } }
      },
      method
    )
  }
  t.equal((await app.server.inject({ method: 'HEAD', url: '/mcp' })).statusCode, 405)
  const preflight = await app.server.inject({
    method: 'OPTIONS',
    url: '/mcp',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.statusCode, 204)
  t.match(
    (await post(app, list, { origin: 'https://app.example.com' })).headers['access-control-expose-headers'],
    /Mcp-Session-Id/
  )
})

t.test('methods and parameters that are not there', async t => {
  for (const method of ['no/such', 'logging/setLevel', 'completion/complete', 'resources/subscribe', 'constructor']) {
    // Later clients listen instead.
    if (method !== 'resources/subscribe')
      t.match(await request(app, 'legacy', method), { status: 200, body: { error: { code: -32601 } } }, method)
    t.match((await request(app, 'modern', method)).body, { error: { code: -32601 } }, method)
  }
  for (const era of ['legacy', 'modern'] as const) {
    for (const [method, params, argument] of [
      ['tools/call', {}, 'name'],
      ['tools/call', { name: 17 }, 'name'],
      ['tools/call', { name: { toString: 1 } }, 'name'],
      ['tools/call', { name: 'list_sessions', arguments: [] }, 'arguments'],
      ['tools/call', { name: 'list_sessions', arguments: 'x' }, 'arguments'],
      ['resources/read', {}, 'uri'],
      ['prompts/get', {}, 'name'],
      ['prompts/get', { name: 'debug-session', arguments: { session_id: 5 } }, 'session_id']
    ] as const)
      t.match(
        await request(app, era, method, params),
        {
          status: 200,
          body: { id: 1, error: { code: -32602, data: { code: 'INVALID_INPUT', context: { argument } } } }
        },
        `${era} ${method}`
      )
    t.match(await request(app, era, 'tools/call', { name: 'no_such_tool' }), {
      status: 200,
      body: { error: { code: -32602, data: { code: 'TOOL_NOT_FOUND' } } }
    })
  }
  t.match((await post(app, { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })).body, {
    error: { code: -32602, message: /^initialize needs/ }
  })
})

t.test('text that no column holds', async t => {
  const refused = async (text: string) => {
    const { result } = (await post(app, text, { 'x-api-key': API_KEY })).body
    t.equal(result.isError, true)
    return saidBy(result)
  }
  const callOf = (tool: string, args: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":${args}}}`
  for (const [bad, argument] of [
    ['\\u0000', 'key'],
    ['\\ud800', 'key']
  ]) {
    t.match(await refused(callOf('get_memory', `{"key":"${bad}"}`)), { code: 'INVALID_INPUT', context: { argument } })
  }
  const proto = callOf('set_memory', '{"key":"k","value":{"__proto__":{"x":1}}}')
  t.match(await refused(proto), { code: 'INVALID_INPUT' })
  const deep = callOf('set_memory', `{"key":"k","value":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)
  t.match(
    await post(app, deep, { 'x-api-key': API_KEY }),
    { status: 400, body: { id: null, error: { data: { code: 'INVALID_INPUT', error: /64 levels/ } } } },
    'refused before it is parsed'
  )
  const shallow = deep.replace(/\[+\]+/, '['.repeat(63) + ']'.repeat(63))
  t.match(
    (await post(app, shallow, { 'x-api-key': API_KEY })).body.result,
    { structuredContent: { success: true } },
    'the levels around the arguments do not count'
  )
})

t.test('batches, as in 2025-03-26', async t => {
  const session = await openSession(app)
  const batch = [
    { ...list, id: 1 },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { jsonrpc: '2.0', id: 'x', method: 'no/such' }
  ]
  const { status, body } = await post(app, batch, session)
  t.equal(status, 200)
  t.match(
    body,
    [
      { id: 1, result: { tools: [] } },
      { id: 1, result: {} },
      { id: 'x', error: { code: -32601 } }
    ],
    'each is answered, whatever ids they share'
  )
  t.equal((await post(app, [{ jsonrpc: '2.0', method: 'notifications/initialized' }], session)).status, 202)
  t.equal((await post(app, [initialize(), list])).status, 400)
  t.equal(
    (
      await post(
        app,
        Array.from({ length: 101 }, () => list)
      )
    ).status,
    400
  )
  t.equal((await post(app, batch, { authorization: 'Bearer None' })).status, 401)
})

t.test('notifications and answers are acknowledged', async t => {
  for (const message of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/anything' },
    { jsonrpc: '2.0', id: 5, result: {} }
  ]) {
    t.match(await post(app, message), { status: 202, body: undefined })
  }
})

t.test('clients that choose the same ids at once get their own answers', async t => {
  const sessions = await Promise.all(Array.from({ length: 20 }, async (_, i) => openSession(app, `client ${i}`)))
  const answers = await Promise.all(
    sessions.map(async session =>
      callTool(app, 'legacy', 'get_usage_guidance', {}, { ...session, 'x-api-key': API_KEY })
    )
  )
  t.same(
    answers.map(({ structuredContent }) => structuredContent.agent_info.agent_id),
    sessions.map((_, i) => `client ${i}`)
  )
})

t.test('the same of 2026-07-28, whom one server answers', async t => {
  const names = Array.from({ length: 20 }, (_, i) => `modern client ${i}`)
  const answers = await Promise.all(
    names.map(async name =>
      callTool(app, 'modern', 'get_usage_guidance', {}, { 'x-api-key': API_KEY, 'x-agent-id': name })
    )
  )
  t.same(
    answers.map(({ structuredContent }) => structuredContent.agent_info.agent_id),
    names
  )
})

t.test('a plain call of 2026-07-28 is answered as the SDK answers any other', async t => {
  const ask = async (
    params: Record<string, unknown>,
    meta: Record<string, unknown>,
    headers: Record<string, string> = {}
  ) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientCapabilities': {},
      ...meta
    }
    const {
      status,
      headers: answered,
      body
    } = await post(
      app,
      { jsonrpc: '2.0', id: 'the same', method: 'tools/call', params: { ...params, _meta } },
      {
        accept: 'application/json',
        'x-api-key': API_KEY,
        'x-agent-id': 'plain',
        'mcp-protocol-version': MODERN,
        'mcp-method': 'tools/call',
        'mcp-name': String(params.name),
        ...headers
      }
    )
    return {
      status,
      type: answered['content-type'],
      cache: answered['cache-control'],
      body: JSON.parse(JSON.stringify(body).replaceAll(/(request_id|timestamp)(\\?":\\?")[^"\\]*/g, '$1$2-'))
    }
  }
  for (const [params, headers] of [
    [{ name: 'get_usage_guidance', arguments: {} }],
    [{ name: 'get_usage_guidance' }],
    [{ name: 'no_such_tool', arguments: {} }],
    [{ name: 'get_session', arguments: { session_id: 'session_0000000000000000' } }],
    [{ name: 'get_memory', arguments: { key: 7 } }],
    [{ name: 'get_memory', arguments: [] }],
    [{ name: '=?base64?Zm9v?=', arguments: {} }],
    [{ name: 'get_usage_guidance' }, { 'mcp-name': 'another' }],
    [{ name: 'get_usage_guidance' }, { 'mcp-method': 'tools/list' }],
    [{ name: 'get_usage_guidance' }, { 'mcp-protocol-version': '2025-06-18' }],
    [{ name: 'get_usage_guidance' }, { 'x-api-key': 'wrong' }]
  ] as Array<[Record<string, unknown>, Record<string, string>?]>) {
    // With a name to tell progress by, a call is none of the plain ones.
    t.same(
      await ask(params, {}, headers),
      await ask(params, { progressToken: 'p' }, headers),
      `${JSON.stringify(params)} ${JSON.stringify(headers)}`
    )
  }
})

t.test('2026-07-28', async t => {
  t.match((await request(app, 'modern', 'server/discover')).body.result, {
    supportedVersions: [MODERN],
    capabilities: { tools: {}, resources: {}, prompts: {} },
    resultType: 'complete'
  })
  t.match(await request(app, 'modern', 'ping'), { status: 404, body: { error: { code: -32601 } } })
  t.match(await request(app, 'modern', 'tools/list', {}, { 'mcp-method': 'tools/call' }), {
    status: 400,
    body: { error: { code: -32020 } }
  })
  t.match(await request(app, 'modern', 'tools/list', {}, { 'mcp-protocol-version': '2025-06-18' }), {
    status: 400,
    body: { error: { code: -32020 } }
  })
  t.match(await post(app, list, { 'mcp-protocol-version': MODERN }), { status: 400, body: { error: { code: -32602 } } })
  t.equal(
    (await request(app, 'modern', 'tools/list', {}, { 'mcp-session-id': 'from another era' })).status,
    200,
    'knows no sessions'
  )
  const listen = {
    jsonrpc: '2.0',
    id: 1,
    method: 'subscriptions/listen',
    params: {
      notifications: { toolsListChanged: true },
      _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} }
    }
  }
  const stream = await fetch(`${await listenOn(app)}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'mcp-protocol-version': MODERN,
      'mcp-method': 'subscriptions/listen'
    },
    body: JSON.stringify(listen)
  })
  t.match(stream.headers.get('content-type'), 'text/event-stream')
  t.match(await stream.text(), '"resultType":"complete"', 'is told that there is nothing to wait for, and ended')
})
