import t, { type Test } from 'tap'
import { API_KEY, listen, startApp } from '../helper.js'
import { exchange } from '../support/raw-http.js'
import { openRaw } from '../support/raw-connection.js'

/** A method that an address does not take gets 405, the methods that it takes, and an object that says so. */

const base = await listen(await startApp(t))

const addresses = {
  '/mcp/tool/list_sessions': 'POST',
  '/mcp/tool/list_sessions/?a=1': 'POST',
  '/mcp': 'GET, POST, DELETE',
  '/mcp/': 'GET, POST, DELETE',
  '/mcp/events': 'GET',
  '/mcp/sessions/session_0123456789abcdef/events': 'GET',
  '/health/ready': 'GET, HEAD',
  '/metrics': 'GET, HEAD',
  '/openapi.json': 'GET, HEAD',
  '/docs': 'GET, HEAD',
  '/docs/static/index.html': 'GET, HEAD',
  '/nothing': 'GET, HEAD, POST, DELETE',
  '/mcp/tool/nothing': 'GET, HEAD, POST, DELETE'
}

async function isNotAllowed(t: Test, method: string, address: string, allow: string): Promise<void> {
  const { host } = new URL(base)
  const head = `${method} ${address} HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${API_KEY}\r\nConnection: close`
  const answer = await exchange(base, [`${head}\r\nContent-Length: 2\r\n\r\n{}`])
  t.equal(answer.status, 405, `${method} ${address}`)
  t.equal(answer.headers.allow, allow, `${method} ${address}: Allow`)
  if (method === 'HEAD') return
  const body = answer.body.error?.data ?? answer.body
  t.match(body, { success: false, code: 'METHOD_NOT_ALLOWED', recoverable: true }, `${method} ${address}`)
  t.ok(body.suggestions.length > 0)
}

t.test('methods that no address takes', async t => {
  for (const method of ['TRACE', 'PROPFIND', 'LOCK', 'SEARCH', 'FOO', 'get', 'X-ANY'])
    for (const [address, allow] of Object.entries(addresses)) await isNotAllowed(t, method, address, allow)
})

t.test('methods that another address takes', async t => {
  for (const [address, allow] of Object.entries(addresses)) {
    if (address.endsWith('nothing')) continue
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
      if (!allow.split(', ').includes(method)) await isNotAllowed(t, method, address, allow)
  }
})

t.test('the addresses of the older MCP transport', async t => {
  for (const [method, address] of [
    ['GET', '/sse'],
    ['GET', '/sse/'],
    ['POST', '/messages?session_id=1'],
    ['POST', '/sse']
  ] as const) {
    const response = await fetch(`${base}${address}`, { method })
    t.equal(response.status, 404, `${method} ${address}`)
    t.match(await response.text(), /use \/mcp/, `${method} ${address}`)
  }
})

t.test('CONNECT', async t => {
  for (const target of ['example.com:443', '/mcp/tool/list_sessions']) {
    const connection = await openRaw(base)
    connection.send(`CONNECT ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.same(await connection.answers(1), [405], target)
    t.match(connection.received(), /^allow: /m)
    t.match(connection.lastBody(), { code: 'METHOD_NOT_ALLOWED' })
    await connection.closed()
  }
})

t.test('what is no request line is not HTTP', async t => {
  for (const text of ['hello\r\n\r\n', '\0\0\0\0', 'FOO bar\r\n\r\n', '{"a":1}\r\n\r\n'])
    t.match(await exchange(base, [text]), { status: 400, body: { code: 'INVALID_INPUT' } }, JSON.stringify(text))
})
