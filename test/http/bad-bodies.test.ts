import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { ErrorCode } from '../../src/kernel/errors.js'
import { API_KEY, type Answer, listen, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { exchange, post } from '../support/raw-http.js'

/** Whatever comes over the wire: the right code, a JSON object, and a server that goes on. */

const app = await startApp(t)
const base = await listen(app)
const session_id = await newSession(app)
const AS = { 'x-api-key': API_KEY, 'x-agent-id': 'agent-1' }

async function send(
  body: string | Buffer,
  headers: Record<string, string> = {},
  path = '/mcp/tool/set_memory',
  method = 'POST'
): Promise<Answer> {
  return post(base, path, body, { ...AS, ...headers }, method)
}

async function stillServes(t: Test): Promise<void> {
  const answer = await send(JSON.stringify({ session_id, content: 'still here' }), {}, '/mcp/tool/add_message')
  t.equal(answer.status, 200, 'the server goes on')
}

const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`

/** A value at that depth of the whole body: the body itself is the first level. */
const memory = (value: string) => `{"key":"k","value":${value}}`

const bodies: Array<[what: string, body: string | Buffer, code: ErrorCode | null, headers?: Record<string, string>]> = [
  ['a body that is not JSON', 'purpose=hello', 'INVALID_JSON'],
  ['half of an object', '{"key":', 'INVALID_JSON'],
  ['two objects', '{}{}', 'INVALID_JSON'],
  ['JavaScript instead of JSON', "{key: 'k'}", 'INVALID_JSON'],
  ['NaN', '{"key":"k","value":NaN}', 'INVALID_JSON'],
  ['a raw line break in a string', '{"key":"a\nb"}', 'INVALID_JSON'],
  ['an array', '[]', 'INVALID_INPUT'],
  ['a number', '5', 'INVALID_INPUT'],
  ['a string', '"text"', 'INVALID_INPUT'],
  ['a boolean', 'true', 'INVALID_INPUT'],
  ['null, which is no arguments', 'null', 'INVALID_INPUT'],
  ['nothing, which is no arguments', '', 'INVALID_INPUT'],
  ['white space', ' \r\n', 'INVALID_INPUT'],
  ['a wrong content type', '{}', 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'text/plain' }],
  ['a form', 'a=b', 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['no content type', '{"key":"k"}', 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': '' }],
  ['a content type that is none', '{}', 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'json' }],
  [
    'a content type that merely begins like JSON',
    '{}',
    'UNSUPPORTED_MEDIA_TYPE',
    { 'content-type': 'application/jsonp' }
  ],
  [
    'UTF-16, declared',
    Buffer.from('{}', 'utf16le'),
    'UNSUPPORTED_MEDIA_TYPE',
    { 'content-type': 'application/json; charset=utf-16' }
  ],
  ['Latin-1, declared', '{}', 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'application/json; charset="iso-8859-1"' }],
  ['UTF-16, not declared', Buffer.from('\uFEFF{"key":"k","value":1}', 'utf16le'), 'INVALID_JSON'],
  [
    'bytes that are not UTF-8',
    Buffer.from([...Buffer.from('{"key":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
    'INVALID_JSON'
  ],
  [
    'a surrogate encoded as UTF-8',
    Buffer.from([...Buffer.from('{"key":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
    'INVALID_JSON'
  ],
  ['a NUL in a value', memory('"a\\u0000b"'), 'INVALID_INPUT'],
  ['a NUL in a key', memory('{"a\\u0000b":1}'), 'INVALID_INPUT'],
  ["a NUL in an argument's name", '{"ke\\u0000y":"k","value":1}', 'INVALID_INPUT'],
  [
    'a NUL in metadata sent as a string',
    '{"key":"k","value":1,"metadata":"{\\"a\\":\\"\\\\u0000\\"}"}',
    'INVALID_INPUT'
  ],
  ['half a surrogate pair in a value', memory('"\\ud800"'), 'INVALID_INPUT'],
  ['the other half', memory('["a", "\\udc00x"]'), 'INVALID_INPUT'],
  ['half a surrogate pair in a key', memory('{"\\ud83d":1}'), 'INVALID_INPUT'],
  ['halves in the wrong order', memory('"\\udc00\\ud800"'), 'INVALID_INPUT'],
  [
    'half a surrogate pair in metadata sent as a string',
    '{"key":"k","value":1,"metadata":"{\\"a\\":\\"\\\\ud800\\"}"}',
    'INVALID_INPUT'
  ],
  ['__proto__ as an argument', '{"__proto__":{"key":"k"},"key":"k","value":1}', 'INVALID_INPUT'],
  ['__proto__ in a value', memory('{"a":[{"__proto__":{"admin":true}}]}'), 'INVALID_INPUT'],
  [
    '__proto__ in metadata sent as a string',
    '{"key":"k","value":1,"metadata":"{\\"__proto__\\":{}}"}',
    'INVALID_INPUT'
  ],
  ['constructor as an argument', '{"constructor":{},"key":"k","value":1}', 'INVALID_INPUT'],
  ['65 levels', memory(nested(64)), 'INVALID_INPUT'],
  ['10 000 levels', memory(nested(10_000)), 'INVALID_INPUT'],
  ['10 000 levels of objects', memory(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), 'INVALID_INPUT'],
  [
    '10 000 levels of metadata sent as a string',
    JSON.stringify({ key: 'k', value: 1, metadata: `{"a":${nested(10_000)}}` }),
    'INVALID_INPUT'
  ],
  ['an integer a double cannot hold', memory('9007199254740993'), 'INVALID_INPUT'],
  ['a number that overflows', memory('[1e400]'), 'INVALID_INPUT'],
  ['64 levels', memory(nested(63)), null],
  ['a byte order mark', '\uFEFF{"key":"k","value":1}', null],
  ['JSON of another type', '{"key":"k","value":1}', null, { 'content-type': 'application/vnd.api+json' }],
  [
    'UTF-8, declared in any case',
    '{"key":"k","value":"é"}',
    null,
    { 'content-type': 'Application/JSON; Charset=UTF-8' }
  ],
  ['whole surrogate pairs, escaped', memory('"\\ud83d\\ude80"'), null],
  ['an argument twice: the last counts', '{"key":"","key":"k","value":1}', null]
]

t.test('bodies', async t => {
  for (const [what, body, code, headers] of bodies) {
    const answer = await send(body, headers)
    if (code === null) t.match(answer, { status: 200, body: { success: true } }, what)
    else isFailure(t, answer, code, what)
  }
  t.match(
    (await send('', { 'content-type': '', 'content-length': '' }, '/mcp/tool/list_sessions')).body,
    { success: true },
    'no body at all is no arguments'
  )
  await stillServes(t)
})

t.test('a body over the limit', async t => {
  const big = Buffer.alloc(20 * 1024 * 1024, 0x20)
  const declared = await send(big)
  isFailure(t, declared, 'PAYLOAD_TOO_LARGE', '20 MB')
  t.match(declared.body, { error: /8388608/, context: { limit_bytes: 8_388_608 } })

  // Without a Content-Length the server learns of it only while reading.
  const chunk = Buffer.alloc(1024 * 1024, 0x20)
  const chunked = await exchange(base, [
    `POST /mcp/tool/set_memory HTTP/1.1\r\nHost: ${new URL(base).host}\r\nConnection: ` +
      `close\r\nContent-Type: application/json\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: a\r\n` +
      'Transfer-Encoding: chunked\r\n\r\n',
    ...Array.from({ length: 20 }, () =>
      Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
    ),
    '0\r\n\r\n'
  ])
  isFailure(t, chunked, 'PAYLOAD_TOO_LARGE', '20 MB in chunks')

  // A usual client, which sends to the end before it reads.
  const response = await fetch(`${base}/mcp/tool/set_memory`, {
    method: 'POST',
    headers: { ...AS, 'content-type': 'application/json' },
    body: big
  })
  t.equal(response.status, 413)
  t.match(await response.json(), { success: false, code: 'PAYLOAD_TOO_LARGE' })
  await stillServes(t)
})

t.test('the largest body that is taken', async t => {
  const { body_limit } = app.config
  const fits = JSON.stringify({ key: 'k', value: 1 }).padEnd(body_limit)
  t.equal((await send(fits)).status, 200)
  isFailure(t, await send(`${fits} `), 'PAYLOAD_TOO_LARGE')
})

t.test('addresses and methods', async t => {
  isFailure(t, await send('{}', {}, '/mcp/tool/no_such_tool'), 'TOOL_NOT_FOUND')
  isFailure(t, await send('{}', {}, '/mcp/tool/'), 'TOOL_NOT_FOUND')
  isFailure(t, await send('{}', {}, '/mcp/tool/get_session/more'), 'TOOL_NOT_FOUND')
  isFailure(t, await send('{}', {}, `/mcp/tool/${'x'.repeat(5000)}`), 'TOOL_NOT_FOUND')
  isFailure(t, await send('{}', {}, '/mcp/tool/%'), 'TOOL_NOT_FOUND', 'a malformed escape')
  isFailure(t, await send('{}', {}, '/mcp/tool/%E0%A4%A'), 'TOOL_NOT_FOUND', 'half a character')
  isFailure(t, await send('{}', {}, '/mcp/tool/%00'), 'TOOL_NOT_FOUND', 'a NUL')
  isFailure(t, await send('{}', {}, '/mcp/tool/constructor'), 'TOOL_NOT_FOUND')
  isFailure(t, await send('not JSON', {}, '/mcp/tool/no_such_tool'), 'TOOL_NOT_FOUND', 'before the body is read')
  isFailure(t, await send('{}', {}, '/nothing/here'), 'TOOL_NOT_FOUND')
  t.equal((await send('{}', {}, '/mcp/tool/list_sessions/')).status, 200, 'a trailing slash, without a redirect')
  t.equal((await send('{}', {}, '/mcp/tool/list_sessions?x=1')).status, 200, 'a query is not looked at')
  t.equal(
    (await send('{}', { expect: 'a miracle' }, '/mcp/tool/list_sessions')).status,
    200,
    'nor is an expectation that nobody knows'
  )
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await send('', { 'content-type': '' }, '/mcp/tool/list_sessions', method)
    isFailure(t, answer, 'METHOD_NOT_ALLOWED', method)
    t.equal(answer.headers.allow, 'POST')
  }
  isFailure(t, await send('{}', {}, '/mcp/tool/list_sessions', 'PUT'), 'METHOD_NOT_ALLOWED', 'PUT with a body')
  isFailure(t, await send('', {}, '/mcp/tool/list_sessions/', 'GET'), 'METHOD_NOT_ALLOWED', 'GET with a trailing slash')
  t.match(await send('', {}, '/mcp/tool/list_sessions', 'HEAD'), { status: 405, body: '' }, 'HEAD')
  t.match(
    (await send('', { 'content-type': '' }, '/mcp/tool/list_sessions', 'OPTIONS')).status,
    204,
    'OPTIONS without an origin'
  )
  await stillServes(t)
})

t.test('what is hardly HTTP', async t => {
  const host = `Host: ${new URL(base).host}`
  const isObject = (answer: Answer, status: number, what: string) => {
    t.match(
      answer,
      { status, body: { success: false, code: 'INVALID_INPUT', request_id: /./, suggestions: [/./] } },
      what
    )
  }
  isObject(await exchange(base, ['this is not HTTP\r\n\r\n']), 400, 'another protocol')
  isObject(await exchange(base, [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])]), 400, 'TLS')
  isObject(
    await exchange(base, [
      `POST /mcp/tool/list_sessions HTTP/1.1\r\n${host}\r\nX-Filler: ${'x'.repeat(100_000)}\r\n\r\n`
    ]),
    431,
    'headers of 100 KB'
  )
  isObject(
    await exchange(base, [
      `POST /mcp/tool/list_sessions HTTP/1.1\r\n${host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`
    ]),
    400,
    'two lengths'
  )
  isObject(
    await exchange(base, [`POST /mcp/tool/list_sessions HTTP/1.1\r\n${host}\r\nContent-Length: -5\r\n\r\n`]),
    400,
    'a negative length'
  )
  await stillServes(t)
})

t.test('a client that goes away in the middle of its body', async t => {
  const { hostname, port } = new URL(base)
  await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) =>
        new Promise<void>(resolve => {
          const socket = connect(Number(port), hostname, () => {
            socket.write(
              `POST /mcp/tool/add_message HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: ` +
                `application/json\r\nContent-Length: 100000\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: a\r\n` +
                '\r\n{"session_id":',
              () => {
                if (i % 2 === 0) socket.resetAndDestroy()
                else socket.destroy()
                resolve()
              }
            )
          })
          socket.on('error', () => {})
        })
    )
  )
  await stillServes(t)
  for (let tries = 0; app.load.in_flight > 0 && tries < 200; tries++)
    await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(app.load.in_flight, 0, 'none of them counts as in flight for ever')
})

t.test("the header of a client's own request id", async t => {
  const given = async (id: string) => (await send('{}', { 'x-request-id': id })).body.request_id as string
  t.equal(await given('my-trace:1.2_3'), 'my-trace:1.2_3')
  for (const id of ['x'.repeat(101), 'a b', '<script>', 'é']) t.match(await given(id), /^[0-9a-f-]{36}$/)
  t.equal((await ok(app, 'list_sessions')).success, true)
})
