import { connect, type Socket } from 'node:net'
import t from 'tap'
import { type Answer, API_KEY, call, listen, newSession, ok, startApp, type TestApp } from '../helper.js'
import { openSession } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { exchange, post } from '../support/raw-http.js'
import { until } from '../support/rest.js'

/** How large a body may be, by who sends it; and that this is known before the body is read. */

const SMALL = 512 * 1024
const app = await startApp(t)
const base = await listen(app)
const AS = { 'x-api-key': API_KEY, 'x-agent-id': 'agent-1' }
const memory = (bytes: number) => JSON.stringify({ key: 'k', value: 1 }).padEnd(bytes)
const set = (bytes: number, headers: Record<string, string>) =>
  post(base, '/mcp/tool/set_memory', memory(bytes), headers)
/** The head of a request whose body does not come. */
const head = (path: string, length: string, headers: Record<string, string>) =>
  [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(base).host}`,
    'Connection: close',
    'Content-Type: application/json',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `${length}\r\n\r\n`
  ].join('\r\n')

async function refusals(on: TestApp, request_id: string): Promise<Array<{ action: string }>> {
  return on.database.db.selectFrom('audit_log').select('action').where('request_id', '=', request_id).execute()
}

t.test('without good credentials in a header a body is small', async t => {
  isFailure(t, await set(SMALL, {}), 'AUTHENTICATION_REQUIRED', 'as large as it may be')
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'a', agent_type: 'x' })
  for (const path of ['/mcp/tool/set_memory', '/mcp/tool/authenticate_agent']) {
    const answer = await post(base, path, memory(SMALL + 1))
    isFailure(t, answer, 'PAYLOAD_TOO_LARGE', path)
    t.match(answer.body, {
      error: /524288 bytes.*header.*BODY_LIMIT, 8388608/,
      context: { limit_bytes: SMALL, limit_bytes_with_credentials: 8_388_608 }
    })
  }
  for (const path of ['/mcp/tool/nothing', '/nothing']) {
    const answer = await exchange(base, [head(path, 'Content-Length: 100', {})])
    isFailure(t, answer, 'TOOL_NOT_FOUND', `${path}: no body is read where none is used`)
  }
  isFailure(
    t,
    await exchange(base, [head('/mcp/tool/set_memory', `Content-Length: ${SMALL + 1}`, {})]),
    'PAYLOAD_TOO_LARGE',
    'by its length, before any of it is sent'
  )
  const chunk = Buffer.from(`${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`)
  isFailure(
    t,
    await exchange(base, [
      head('/mcp/tool/set_memory', 'Transfer-Encoding: chunked', {}),
      ...new Array<Buffer>(9).fill(chunk)
    ]),
    'PAYLOAD_TOO_LARGE',
    'in chunks'
  )
  t.equal((await set(SMALL + 1, AS)).status, 200, 'with a key')
  t.equal((await set(SMALL + 1, { authorization: `Bearer ${token}` })).status, 200, 'with a token')
  isFailure(
    t,
    await post(base, '/mcp/tool/authenticate_agent', memory(SMALL + 1), AS),
    'INVALID_INPUT',
    'with its own key it may be large'
  )
  const open = await startApp(t, { AUTH_ENABLED: 'false' })
  t.equal((await post(await listen(open), '/mcp/tool/set_memory', memory(SMALL + 1))).status, 200, 'AUTH_ENABLED=false')
})

t.test('REST refuses a bad credential before the body comes, once', async t => {
  const on = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '3' })
  const url = await listen(on)
  const without = (headers: Record<string, string>) =>
    exchange(url, [head('/mcp/tool/set_memory', 'Content-Length: 100000', headers)])
  isFailure(t, await without({ ...AS, 'x-api-key': 'wrong', 'x-request-id': 'first' }), 'INVALID_API_KEY')
  await until('an audit row', async () => (await refusals(on, 'first')).length > 0)
  t.same(await refusals(on, 'first'), [{ action: 'set_memory' }])
  isFailure(t, await without({ authorization: 'Bearer None' }), 'INVALID_TOKEN')
  isFailure(t, await without({ 'x-api-key': API_KEY }), 'AUTHENTICATION_REQUIRED', 'a key without a name is no guess')
  isFailure(
    t,
    await call(on, 'list_sessions', {}, { anonymous: true, headers: { authorization: 'Bearer None' } }),
    'INVALID_TOKEN',
    'the third guess'
  )
  isFailure(t, await without({ authorization: 'Bearer None' }), 'RATE_LIMITED', 'each was counted once')
  t.match((await on.server.inject('/metrics')).body, 'mcp_requests_total{tool="set_memory",status="error"} 4')
  t.equal(
    (
      await post(
        url,
        '/mcp/tool/authenticate_agent',
        JSON.stringify({ agent_id: 'a', agent_type: 'x', api_key: API_KEY }),
        { authorization: 'Bearer None' }
      )
    ).status,
    200,
    'a stale token does not keep from a new one'
  )
})

t.test('nobody learns from the limit whether a key is right without being counted', async t => {
  const on = await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '2' })
  const url = await listen(on)
  for (const [path, headers, code] of [
    ['/mcp', { 'x-api-key': 'wrong' }, 'INVALID_API_KEY'],
    ['/mcp/tool/authenticate_agent', { 'x-api-key': 'wrong' }, 'INVALID_API_KEY'],
    ['/mcp', { authorization: 'Bearer None' }, 'RATE_LIMITED']
  ] as const) {
    const { body } = await post(url, path, memory(SMALL + 1), headers)
    t.equal((body.error?.data ?? body).code, code, path)
  }
})

t.test('MCP: the limit by header, by session, and for nobody', async t => {
  const call = (bytes: number) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'set_memory', arguments: { key: 'k', value: 1 } }
    }).padEnd(bytes)
  const large = (headers: Record<string, string>) => post(base, '/mcp', call(SMALL + 1), headers)
  t.match(await large({}), {
    status: 413,
    body: { jsonrpc: '2.0', error: { data: { code: 'PAYLOAD_TOO_LARGE', context: { limit_bytes: SMALL } } } }
  })
  t.match((await large({ 'x-api-key': API_KEY })).body.result, { structuredContent: { success: true } })
  const session = await openSession(app)
  t.equal((await large(session)).status, 413, 'a session that nobody has authenticated in')
  const authenticate = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'authenticate_agent', arguments: { agent_id: 'a', agent_type: 'x', api_key: API_KEY } }
  })
  t.equal((await post(base, '/mcp', authenticate, session)).status, 200)
  t.match((await large(session)).body.result, { structuredContent: { success: true } }, 'an authenticated session')
  const initialize = JSON.stringify({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  })
  t.equal(
    (await post(base, '/mcp', initialize, { authorization: 'Bearer None' })).status,
    401,
    'a small one is refused for its credentials'
  )
})

t.test('MCP: messages that would keep an SDK busy', async t => {
  const values = Object.fromEntries(Array.from({ length: 3_400 }, (_, i) => [`f${i}`, [i, i]]))
  for (const body of [
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: values } },
    { jsonrpc: '2.0', id: 1, method: 'ping', ...values },
    Array.from({ length: 101 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' }))
  ]) {
    t.match(await post(base, '/mcp', JSON.stringify(body), AS), {
      status: 400,
      body: { error: { data: { code: 'INVALID_INPUT' } } }
    })
  }
  const { body } = await post(
    base,
    '/mcp',
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'set_memory', arguments: { key: 'wide', value: values } }
    }),
    AS
  )
  t.match(body.result, { structuredContent: { success: true } }, 'arguments may hold more')
})

t.test('the number of values, and deep text in strings', async t => {
  const values = (count: number) => JSON.stringify({ key: 'k', value: new Array(count).fill(1) })
  t.equal(
    (await post(base, '/mcp/tool/set_memory', values(100_000 - 3), AS)).status,
    200,
    '100 000: the object, the key, the array, and what is in it'
  )
  const answer = await post(base, '/mcp/tool/set_memory', values(100_000 - 2), AS)
  isFailure(t, answer, 'PAYLOAD_TOO_LARGE', '100 001')
  t.match(answer.body, { error: /100000 JSON values/, context: { limit_values: 100_000 } })
  const session_id = await newSession(app)
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: 'x', metadata: `{"a":${'['.repeat(30_000)}` }),
    'INVALID_INPUT',
    'metadata'
  )
  isFailure(
    t,
    await call(app, 'import_session', { ndjson: '['.repeat(100_000) }, { admin: true }),
    'INVALID_INPUT',
    'a line of an import'
  )
})

t.test('a body in chunks of a byte', async t => {
  const chunks = Buffer.from('1\r\n \r\n'.repeat(20_000))
  isFailure(
    t,
    await exchange(base, [head('/mcp/tool/set_memory', 'Transfer-Encoding: chunked', AS), chunks]),
    'INVALID_INPUT'
  )
  const few = `${'1\r\n \r\n'.repeat(100)}15\r\n{"key":"k","value":1}\r\n0\r\n\r\n`
  t.equal(
    (await exchange(base, [head('/mcp/tool/set_memory', 'Transfer-Encoding: chunked', AS), few])).status,
    200,
    'some of them are taken'
  )
})

t.test('a token that is revoked while the body arrives', async t => {
  const { token } = await ok(app, 'authenticate_agent', { agent_id: 'slow', agent_type: 'x' })
  const body = memory(200)
  const { hostname, port } = new URL(base)
  const answered = new Promise<string>(resolve => {
    let text = ''
    const socket: Socket = connect(Number(port), hostname, () => {
      socket.write(
        head('/mcp/tool/set_memory', `Content-Length: ${body.length}`, { authorization: `Bearer ${token}` }) +
          body.slice(0, 10)
      )
      void (async () => {
        await new Promise(resolve => setTimeout(resolve, 200))
        await ok(app, 'revoke_token', {}, { token })
        await until('revoked', async () => (await call(app, 'list_sessions', {}, { token })).status === 401)
        socket.write(body.slice(10))
      })()
    })
    socket
      .on('data', chunk => {
        text += chunk.toString()
      })
      .on('close', () => {
        resolve(text)
      })
  })
  t.match(await answered, /"code":"TOKEN_REVOKED"/)
})

t.test('bodies of strangers leave room for those who are known, and large ones for small ones', async t => {
  const on = await startApp(t)
  const url = await listen(on)
  const { hostname, port } = new URL(url)
  const taken = async (who: string) =>
    Number(
      new RegExp(`request_body_bytes\\{caller="${who}"\\} (\\d+)`).exec((await on.server.inject('/metrics')).body)?.[1]
    )
  const sockets = await Promise.all(
    Array.from(
      { length: 60 },
      (_, i) =>
        new Promise<Socket>(resolve => {
          const socket = connect({ port: Number(port), host: hostname, localAddress: `127.0.0.${2 + (i % 4)}` }, () => {
            socket.write(
              `POST /mcp/tool/get_usage_guidance HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: ` +
                `application/json\r\nContent-Length: ${SMALL}\r\n\r\n${' '.repeat(SMALL - 1)}`,
              () => {
                resolve(socket)
              }
            )
          })
          socket.on('error', () => {}).resume()
        })
    )
  )
  await until('they are full', async () => (await taken('unknown')) > 12 * 1024 * 1024)
  t.ok((await taken('unknown')) <= 16 * 1024 * 1024, 'a quarter of all, and no more')
  const known: Answer = await post(url, '/mcp/tool/set_memory', memory(7_000_000), AS)
  t.equal(known.status, 200, 'a large one with a key')
  const small = await exchange(url, [
    head('/mcp/tool/get_usage_guidance', 'Content-Length: 20000', {}),
    ' '.repeat(10_000),
    ' '.repeat(9998),
    '{}'
  ])
  t.equal(small.status, 200, 'a small one without')
  for (const socket of sockets) socket.destroy()
  await until('all is given back', async () => (await taken('unknown')) === 0 && (await taken('known')) === 0)
})

t.test('requests behind each other on a connection that breaks are not counted for ever', async t => {
  const on = await startApp(t)
  const { hostname, port } = new URL(await listen(on))
  const session_id = await newSession(on)
  const request = (tool: string, args: unknown) => {
    const body = JSON.stringify(args)
    return (
      `POST /mcp/tool/${tool} HTTP/1.1\r\nHost: ${hostname}\r\nX-API-Key: ${API_KEY}\r\n` +
      `X-Agent-Id: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
      `\r\n${body}`
    )
  }
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(
    request('wait_for_messages', { session_id, timeout_seconds: 30 }) +
      request('list_sessions', {}) +
      request('list_sessions', {})
  )
  await until('they are in flight', () => on.load.in_flight >= 2)
  socket.destroy()
  await until('none is', () => on.load.in_flight === 0, 5000)
})
