import t from 'tap'
import { API_KEY, listen, newSession, startApp } from '../helper.js'
import { exchange } from '../support/raw-http.js'
import { initialize, MODERN } from './clients.js'

/** JSON or an event stream, as the client accepts them, byte by byte on a socket. */

const app = await startApp(t)
const base = await listen(app)

const _meta = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' }
}

async function send(message: unknown, accept: string | undefined, more: Record<string, string> = {}) {
  const body = JSON.stringify(message)
  const headers = Object.entries({
    host: new URL(base).host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-api-key': API_KEY,
    connection: 'close',
    ...(accept !== undefined && { accept }),
    ...more
  }).map(([name, value]) => `${name}: ${value}`)
  return exchange(base, [`POST /mcp HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`])
}

const legacy = (method: string, params = {}) => ({ jsonrpc: '2.0', id: 7, method, params })
const modern = (method: string, params = {}) => [
  { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta } },
  {
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...('name' in params && { 'mcp-name': params.name as string })
  }
]
const CALL = { name: 'get_usage_guidance', arguments: {} }

const ONLY_EVENTS = [
  'text/event-stream',
  'TEXT/EVENT-STREAM',
  'text/*',
  'application/json;q=0, text/event-stream',
  'text/event-stream;q=0.5',
  'text/html, text/event-stream'
]
const JSON_TOO = [
  undefined,
  '*/*',
  'application/json',
  'application/json, text/event-stream',
  'text/event-stream, application/*;q=0.1',
  'text/event-stream;q=0, application/json',
  'text/html'
]

for (const [name, message, more] of [
  ['initialize', initialize()],
  ['tools/list of 2025', legacy('tools/list')],
  ['tools/call of 2025', legacy('tools/call', CALL)],
  ['a failure of 2025', legacy('no/such')],
  ['tools/list of 2026', ...modern('tools/list')],
  ['tools/call of 2026', ...modern('tools/call', CALL)],
  ['server/discover', ...modern('server/discover')]
] as Array<[string, { id: number }, Record<string, string>?]>) {
  t.test(name, async t => {
    for (const accept of ONLY_EVENTS) {
      const { status, headers, body } = await send(message, accept, more)
      t.equal(status, 200, accept)
      t.match(headers['content-type'], /^text\/event-stream/, accept)
      t.match(headers['cache-control'], 'no-store')
      const [, data] = /^event: message\ndata: (.*)\n\n$/.exec(body as string) ?? []
      t.match(JSON.parse(data as string), { jsonrpc: '2.0', id: message.id }, 'one event, the answer')
      if (name === 'initialize') t.match(headers['mcp-session-id'], /.{40}/)
    }
    for (const accept of JSON_TOO) {
      const { headers, body } = await send(message, accept, more)
      t.match(headers['content-type'], /^application\/json/, String(accept))
      t.match(body, { jsonrpc: '2.0', id: message.id })
    }
  })
}

t.test('each answer of a batch is an event', async t => {
  const { body } = await send([legacy('ping'), { ...legacy('ping'), id: 8 }], 'text/event-stream')
  t.match(body, /^event: message\ndata: .*"id":7.*\n\nevent: message\ndata: .*"id":8.*\n\n$/)
})

t.test('no answer has a line break of Unicode in it', async t => {
  const session_id = await newSession(app)
  const content = 'a\u2028b\u2029c\u0085d'
  const call = (name: string, args: object) => ({ name, arguments: { session_id, ...args } })
  await send(legacy('tools/call', call('add_message', { content })), undefined)
  for (const [message, more] of [
    [legacy('tools/call', call('get_messages', {}))],
    modern('tools/call', call('get_messages', {})),
    [legacy('resources/read', { uri: `session://${session_id}` })]
  ] as Array<[object, Record<string, string>?]>) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const { body } = await send(message, accept, more)
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const raw = await fetch(`${base}/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, 'x-api-key': API_KEY, ...more },
        body: JSON.stringify(message)
      }).then(response => response.text())
      t.notMatch(raw, /[\u2028\u2029\u0085]/)
      t.match(raw, '\\u2028b')
      t.match(text, /b/)
    }
  }
})
