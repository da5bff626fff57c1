import t from 'tap'
import { API_KEY, call, listen, newSession, startApp } from '../helper.js'
import { initialize, post as postMcp } from '../mcp/clients.js'
import { exchange, post } from '../support/raw-http.js'

/** What every answer says to a browser, whoever gives it: a page, a tool, a stream, a refusal, the bare socket. */

const EXPECTED = {
  'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin'
}
const AS = { 'x-api-key': API_KEY, 'x-agent-id': 'agent-1' }
const app = await startApp(t, { REQUEST_TIMEOUT_MS: '500' })
const base = await listen(app)

t.test('every route, and every refusal', async t => {
  const asked: Array<[method: string, path: string, body?: string, headers?: Record<string, string>]> = [
    ['GET', '/health'],
    ['GET', '/health/live'],
    ['GET', '/metrics'],
    ['GET', '/openapi.json'],
    ['GET', '/nothing'],
    ['GET', '/mcp/tool/list_sessions'],
    ['POST', '/mcp/tool/list_sessions', '{}', AS],
    ['POST', '/mcp/tool/list_sessions', '{'],
    ['POST', '/mcp/tool/no_such_tool', '{}', AS],
    ['POST', '/mcp/tool/%'],
    ['POST', '/mcp/tool/authenticate_agent', JSON.stringify({ agent_id: 'a', agent_type: 't', api_key: API_KEY })],
    ['POST', '/mcp/tool/list_sessions', '{}', { host: 'evil.example' }],
    ['POST', '/mcp/tool/list_sessions', '{}', { origin: 'https://evil.example' }],
    ['POST', '/mcp/tool/list_sessions', '{}', { authorization: 'Bearer None' }],
    ['POST', '/mcp', JSON.stringify(initialize())],
    ['POST', '/mcp', '{}'],
    ['PUT', '/mcp'],
    ['GET', '/mcp'],
    ['GET', '/mcp/events'],
    ['OPTIONS', '/mcp'],
    ['HEAD', '/health']
  ]
  for (const [method, path, body = '', headers = {}] of asked) {
    const answer = await post(base, path, body, { ...(body === '' && { 'content-type': '' }), ...headers }, method)
    t.match(answer.headers, { ...EXPECTED, 'cache-control': 'no-store' }, `${method} ${path}: ${answer.status}`)
  }
  for (const bytes of ['this is not HTTP\r\n\r\n', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`]) {
    t.match(
      (await exchange(base, [bytes])).headers,
      { ...EXPECTED, 'cache-control': 'no-store' },
      'what is hardly HTTP'
    )
  }
})

t.test('streams', async t => {
  const session_id = await newSession(app)
  const opened = await postMcp(app, initialize(), AS)
  for (const [path, headers] of [
    [`/mcp/sessions/${session_id}/events`, AS],
    ['/mcp', { ...AS, accept: 'text/event-stream', 'mcp-session-id': String(opened.headers['mcp-session-id']) }]
  ] as const) {
    const leaving = new AbortController()
    const response = await fetch(base + path, { headers, signal: leaving.signal })
    t.match(
      Object.fromEntries(response.headers),
      { ...EXPECTED, 'content-type': /event-stream/, 'cache-control': /no-store/ },
      path
    )
    leaving.abort()
  }
})

t.test('the page with the description may load its own files, and nothing else', async t => {
  for (const path of [
    '/docs',
    '/docs/',
    '/docs/static/swagger-ui-bundle.js',
    '/docs/static/swagger-initializer.js',
    '/docs/json'
  ]) {
    const { status, headers } = await post(base, path, '', { 'content-type': '' }, 'GET')
    t.equal(status, 200, path)
    t.match(headers, { ...EXPECTED, 'content-security-policy': /script-src 'self';/ })
    t.notMatch(headers['content-security-policy'], /unsafe-eval|script-src[^;]*unsafe-inline|\*/)
  }
})

t.test('the metrics page on a port of its own', async t => {
  const { metricsServer } = await startApp(t, { METRICS_PORT: '0' })
  t.match((await metricsServer?.inject({ url: '/metrics' }))?.headers, { ...EXPECTED, 'cache-control': 'no-store' })
})

t.test('CORS: listed origins, listed headers, no credentials, whatever is asked for', async t => {
  const asked = {
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'authorization, x-surprise, cookie',
    'access-control-request-private-network': 'true'
  }
  for (const [origins, origin, allowed] of [
    ['https://app.test', 'https://app.test', 'https://app.test'],
    ['*', 'https://any.example', '*'],
    ['*,https://app.test', 'https://app.test', '*']
  ] as const) {
    const { server } = await startApp(t, { CORS_ORIGINS: origins, ALLOWED_HOSTS: '*' }, { url: app.url })
    for (const method of ['OPTIONS', 'POST'] as const) {
      const { headers } = await server.inject({
        method,
        url: '/mcp/tool/list_sessions',
        headers: { ...AS, origin, cookie: 'a=b', ...(method === 'OPTIONS' && asked) }
      })
      t.equal(headers['access-control-allow-origin'], allowed, `${method} ${origins}`)
      t.notOk('access-control-allow-credentials' in headers)
      t.notOk('access-control-allow-private-network' in headers)
      t.notOk('set-cookie' in headers)
      t.notMatch(
        String(headers['access-control-allow-headers'] ?? ''),
        /surprise|cookie/i,
        'what is asked for is not said back'
      )
      if (allowed !== '*') t.match(headers.vary, /Origin/)
    }
  }
})

t.test('a session cookie is nothing', async t => {
  t.match(
    await call(app, 'list_sessions', {}, { anonymous: true, headers: { cookie: `x-api-key=${API_KEY}; token=x` } }),
    { status: 401, body: { code: 'AUTHENTICATION_REQUIRED' } }
  )
})
