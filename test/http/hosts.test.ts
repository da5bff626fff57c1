import t from 'tap'
import { API_KEY, type Answer, listen, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { post } from '../support/raw-http.js'

/** Who may be called by which name, from which page: the checks against DNS rebinding, and CORS. */

const AS = { 'x-api-key': API_KEY, 'x-agent-id': 'agent-1' }

async function ask(
  base: string,
  headers: Record<string, string>,
  path = '/mcp/tool/list_sessions',
  method = 'POST'
): Promise<Answer> {
  return post(base, path, method === 'GET' ? '' : '{}', { ...AS, ...headers }, method)
}

t.test('bound to loopback, only loopback names are answered', async t => {
  const base = await listen(await startApp(t))
  const { port } = new URL(base)
  for (const host of [
    'localhost',
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    'LOCALHOST',
    'localhost:1'
  ])
    t.equal((await ask(base, { host })).status, 200, host)
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '[::2]',
    '0.0.0.0',
    '10.0.0.1:80'
  ]) {
    const answer = await ask(base, { host })
    // HTTP/1.1 without a Host is refused before it comes to us.
    if (host === '') t.equal(answer.status, 400, 'no host at all')
    else isFailure(t, answer, 'PERMISSION_DENIED', host)
  }
  for (const path of ['/mcp', '/docs', '/openapi.json', '/nothing', '/healthy', '/metrics/x'])
    t.equal((await ask(base, { host: 'evil.example' }, path, 'GET')).status, 403, path)
  for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) {
    t.equal(
      (await ask(base, { host: '10.1.2.3:9090' }, path, 'GET')).status,
      200,
      `${path} is for probes, by whatever name`
    )
    t.equal(
      (await ask(base, { host: 'localhost', origin: 'https://evil.example' }, path, 'GET')).status,
      200,
      `${path} is for probes, from wherever`
    )
  }
})

t.test('ALLOWED_HOSTS says by which names', async t => {
  const base = await listen(await startApp(t, { ALLOWED_HOSTS: 'agents.test, other.test:8443' }))
  for (const host of ['agents.test', 'agents.test:1234', 'AGENTS.test', 'other.test:8443'])
    t.equal((await ask(base, { host })).status, 200, host)
  for (const host of ['localhost', '127.0.0.1', 'other.test', 'other.test:1', 'x.agents.test'])
    isFailure(t, await ask(base, { host }), 'PERMISSION_DENIED', host)
})

t.test('bound to all addresses, any name is answered', async t => {
  const base = await listen(await startApp(t, { HOST: '0.0.0.0' }))
  t.equal((await ask(base, { host: 'agents.test' })).status, 200)
  isFailure(
    t,
    await ask(base, { host: 'agents.test', origin: 'https://evil.example' }),
    'PERMISSION_DENIED',
    'but not from any page'
  )
})

t.test('pages of other origins are turned away', async t => {
  const base = await listen(await startApp(t, { CORS_ORIGINS: 'https://app.test, http://localhost:5173' }))
  const { host } = new URL(base)
  for (const origin of [`http://${host}`, 'https://app.test', 'http://localhost:5173']) {
    const answer = await ask(base, { origin })
    t.equal(answer.status, 200, origin)
    if (origin !== `http://${host}`) t.match(answer.headers, { 'access-control-allow-origin': origin })
  }
  for (const origin of [
    'https://evil.example',
    'http://app.test',
    'https://app.test.evil.example',
    'https://app.test:8443',
    'null',
    'nonsense',
    `http://${host}.evil.example`
  ]) {
    const answer = await ask(base, { origin })
    isFailure(t, answer, 'PERMISSION_DENIED', origin)
    t.notOk('access-control-allow-origin' in answer.headers)
    t.equal((await ask(base, { origin }, '/mcp')).status, 403, `${origin} to MCP`)
  }

  const preflight = {
    origin: 'https://app.test',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,mcp-session-id'
  }
  const allowed = await ask(base, preflight, '/mcp/tool/list_sessions', 'OPTIONS')
  t.match(allowed, {
    status: 204,
    headers: {
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-methods': /POST/,
      'access-control-allow-headers': /mcp-session-id/i
    }
  })
  t.equal((await ask(base, preflight, '/mcp', 'OPTIONS')).status, 204)
  const refused = await ask(
    base,
    { ...preflight, origin: 'https://evil.example' },
    '/mcp/tool/list_sessions',
    'OPTIONS'
  )
  isFailure(t, refused, 'PERMISSION_DENIED', 'a preflight from elsewhere')
})

t.test('CORS_ORIGINS=* lets any page in', async t => {
  const base = await listen(await startApp(t, { CORS_ORIGINS: '*' }))
  t.match(await ask(base, { origin: 'https://anything.example' }), {
    status: 200,
    headers: { 'access-control-allow-origin': '*' }
  })
})

t.test('refused pages and names count against their address, and so do preflights', async t => {
  for (const [what, headers, method] of [
    ['a foreign host name', { host: 'evil.example' }, 'POST'],
    ['a foreign page', { origin: 'https://evil.example' }, 'POST'],
    ['a preflight', { origin: 'https://app.test', 'access-control-request-method': 'POST' }, 'OPTIONS']
  ] as const) {
    const limits = { RATE_LIMIT_ADDRESS_PER_MINUTE: '3', CORS_ORIGINS: 'https://app.test' }
    const base = await listen(await startApp(t, limits))
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await ask(base, headers, '/mcp/tool/list_sessions', method)).status)
    const before = method === 'OPTIONS' ? 204 : 403
    t.same(statuses, [before, before, before, 429, 429], what)
  }
})

t.test('an allowed page can read that it came too often', async t => {
  const limits = { RATE_LIMIT_ADDRESS_PER_MINUTE: '1', CORS_ORIGINS: 'https://app.test' }
  const base = await listen(await startApp(t, limits))
  await ask(base, { origin: 'https://app.test' })
  const late = await ask(base, { origin: 'https://app.test' })
  isFailure(t, late, 'RATE_LIMITED')
  t.match(late.headers, { 'access-control-allow-origin': 'https://app.test' })
})
