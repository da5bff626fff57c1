import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type Test, test } from 'tap'
import { variables } from '../../src/config/config.js'
import { AppError, type ErrorBody, type ErrorCode, errorBody, errorKinds } from '../../src/kernel/errors.js'
import { quietPort } from '../support/ports.js'
import { API_KEY, listen, startApp } from '../helper.js'
import { type Nginx, NGINX_FILE, startNginx } from '../support/nginx.js'
import { needs } from '../support/programs.js'
import { bytes, text } from './files.js'
import { all, type Directive, one, parseNginx } from './nginx-file.js'

const http = one(parseNginx(text(NGINX_FILE)), 'http').block
const server = one(http, 'server').block
const limit = Number(variables.find(({ name }) => name === 'BODY_LIMIT')?.default)
const real = needs('nginx')

const own: Record<string, { status: number; code: ErrorCode }> = {
  '@unavailable': { status: 503, code: 'SERVICE_UNAVAILABLE' },
  '@too_large': { status: 413, code: 'PAYLOAD_TOO_LARGE' },
  '@method': { status: 405, code: 'METHOD_NOT_ALLOWED' },
  '/.unreadable': { status: 400, code: 'INVALID_INPUT' }
}

function location(path: string): Directive[] {
  const found = all(server, 'location').find(({ args }) => args.at(-1) === path)
  if (found === undefined) throw new Error(`There should be a location ${path}`)
  return found.block
}

/** What the service itself would say, but for the time; suggestions are checked by hand where they differ. */
function asTheService(body: ErrorBody): ErrorBody {
  const { code, error, context, suggestions, request_id, timestamp } = body
  return {
    ...errorBody(new AppError(code, error, { ...(context !== undefined && { context }), suggestions }), request_id),
    timestamp
  }
}

test('limits and waiting times', async t => {
  t.equal(bytes(one(server, 'client_max_body_size').args[0] as string), limit)
  const proxied = location('/')
  t.same(one(proxied, 'proxy_read_timeout').args, ['90s'])
  t.same(one(proxied, 'proxy_buffering').args, ['off'])
  const call = Number(variables.find(({ name }) => name === 'REQUEST_TIMEOUT_MS')?.default)
  t.ok(90_000 > call, 'the service ends a call before nginx gives it up')
  t.same(one(proxied, 'proxy_next_upstream').args, ['error', 'timeout'], 'a POST that was sent is not sent again')
  t.same(one(one(http, 'upstream').block, 'server').args.slice(1, 2), ['resolve'])
  t.same(all(proxied, 'proxy_intercept_errors'), [], 'answers of the service pass as they are')
})

test('what the service is told about the request', async t => {
  const headers = Object.fromEntries(all(location('/'), 'proxy_set_header').map(({ args }) => args))
  t.same(headers, {
    Connection: '',
    Host: '$http_host',
    'X-Forwarded-Host': '$http_host',
    'X-Forwarded-For': '$proxy_add_x_forwarded_for',
    'X-Forwarded-Proto': '$outer_proto',
    'X-Request-Id': '$kept_request_id'
  })
})

test('its own failures are objects of the contract', async t => {
  const pages = Object.fromEntries(
    all(server, 'error_page').flatMap(({ args }) =>
      args.filter(arg => /^\d+$/.test(arg)).map(status => [status, args.at(-1)])
    )
  )
  t.match(pages, { 502: '@unavailable', 504: '@unavailable', 413: '@too_large', 405: '@method', 400: '/.unreadable' })
  t.same(new Set(Object.values(pages)), new Set(Object.keys(own)))
  for (const [path, { status, code }] of Object.entries(own)) {
    const block = location(path)
    const [said, words = ''] = one(block, 'return').args
    t.equal(Number(said), status)
    t.equal(errorKinds[code].status, status)
    t.match(one(block, 'default_type').args[0], /^application\/json/)
    const body = JSON.parse(
      words.replace('$seconds_utc.${milliseconds}', '2026-01-31T09:30:00.000').replaceAll('$kept_request_id', 'an-id')
    ) as ErrorBody
    t.equal(body.code, code)
    t.same(body, asTheService(body), 'fields, severity and retry_after as in src/kernel/errors.ts')
    if (status !== 400) t.same(body.suggestions, errorKinds[code].suggestions)
    if (status === 413) t.same(body.context, { limit_bytes: limit })
    const headers = Object.fromEntries(
      all(block, 'add_header').map(({ args: [name = '', value, always] }) => [name, { value, always }])
    )
    t.equal(headers['Retry-After']?.value, body.retry_after === undefined ? undefined : String(body.retry_after))
    for (const { always } of Object.values(headers)) t.equal(always, 'always')
  }
})

interface Upstream {
  port: number
  seen: Array<{ method: string; headers: IncomingHttpHeaders; length: number }>
}

/** A replica that does as it is told. */
async function upstream(
  t: Test,
  answer: (request: IncomingMessage, response: ServerResponse) => void
): Promise<Upstream> {
  const seen: Upstream['seen'] = []
  const stub: Server = createServer((request, response) => {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => {
      seen.push({ method: request.method as string, headers: request.headers, length })
      answer(request, response)
    })
  })
  await new Promise<void>(resolve => stub.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    stub.closeAllConnections()
    stub.close()
  })
  return { port: (stub.address() as AddressInfo).port, seen }
}

interface Reply {
  status: number
  headers: Headers
  body: any
}

async function ask({ url }: Nginx, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${url}${path}`, init)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  ({ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }) as RequestInit

test('dead replicas are our own 503', real, async t => {
  const proxy = await startNginx(t, [await quietPort(), await quietPort()])
  for (const [path, init] of [
    ['/mcp/tool/add_message', post('{}', { 'x-request-id': 'mine-1' })],
    ['/docs/index.html', { headers: { 'x-request-id': 'not "harmless"' } }]
  ] as const) {
    const { status, headers, body } = await ask(proxy, path, init)
    t.equal(status, 503)
    t.same(body, asTheService(body))
    t.equal(body.code, 'SERVICE_UNAVAILABLE')
    t.equal(headers.get('retry-after'), String(body.retry_after))
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    t.equal(headers.get('x-request-id'), body.request_id)
    t.match(body.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.ok(Math.abs(Date.parse(body.timestamp) - Date.now()) < 10_000, 'and the time is the time')
    t.equal(body.request_id === 'mine-1', path.startsWith('/mcp'), 'only a harmless id is kept')
  }
})

test('a replica that does not answer in time is our own 503', real, async t => {
  const silent = await upstream(t, () => {})
  const proxy = await startNginx(t, [silent.port], conf =>
    conf.replace('proxy_read_timeout 90s', 'proxy_read_timeout 1s')
  )
  const { status, body } = await ask(proxy, '/mcp/tool/add_message', post('{}'))
  t.equal(status, 503)
  t.equal(body.code, 'SERVICE_UNAVAILABLE')
  t.equal(silent.seen.length, 1)
})

test(
  'a body over the limit is our own 413, with and without a declared length; one at the limit passes',
  real,
  async t => {
    const replica = await upstream(t, (_request, response) => response.end('{"success":true}'))
    const proxy = await startNginx(t, [replica.port])
    const chunks = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent <= limit; sent += 1024 ** 2) controller.enqueue(new Uint8Array(1024 ** 2))
        controller.close()
      }
    })
    for (const init of [
      post(new Uint8Array(limit + 1)),
      { method: 'POST', body: chunks, duplex: 'half' } as RequestInit
    ]) {
      const { status, body } = await ask(proxy, '/mcp/tool/add_messages', init)
      t.equal(status, 413)
      t.same(body, asTheService(body))
      t.match(body, { code: 'PAYLOAD_TOO_LARGE', context: { limit_bytes: limit } })
    }
    t.same((await ask(proxy, '/mcp/tool/add_messages', post(new Uint8Array(limit)))).status, 200)
    t.same(
      replica.seen.map(({ length }) => length),
      [limit]
    )
  }
)

test('what the service says itself passes as it is', real, async t => {
  for (const status of [503, 502, 413, 405, 400, 500]) {
    const replica = await upstream(t, (_request, response) =>
      response.writeHead(status, { 'retry-after': '7' }).end('{"said":"by the service"}')
    )
    const reply = await ask(await startNginx(t, [replica.port]), '/x')
    t.match(reply, { status, body: { said: 'by the service' } })
    t.equal(reply.headers.get('retry-after'), '7')
  }
})

test('a POST is never sent twice; what was not sent goes to the next replica, and so does a GET', real, async t => {
  const failing = await upstream(t, request => {
    request.socket.destroy()
  })
  const well = await upstream(t, (_request, response) => response.end('{"success":true}'))
  const proxy = await startNginx(t, [failing.port, well.port], conf => conf.replace('max_fails=3', 'max_fails=0'))
  const statuses: number[] = []
  for (let each = 0; each < 6; each++) statuses.push((await ask(proxy, '/mcp/tool/add_message', post('{}'))).status)
  t.equal(statuses.filter(status => status === 503).length, failing.seen.length)
  t.equal(failing.seen.length + well.seen.length, 6, 'each was seen once')
  t.ok(failing.seen.length > 0 && well.seen.length > 0)

  for (let each = 0; each < 4; each++) t.equal((await ask(proxy, '/health')).status, 200)

  const alone = await startNginx(t, [await quietPort(), well.port])
  for (let each = 0; each < 6; each++) t.equal((await ask(alone, '/mcp/tool/add_message', post('{}'))).status, 200)
})

test('a stream arrives as it is written', real, async t => {
  let finish = (): void => {}
  const replica = await upstream(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
    finish = () => {
      response.end('data: last\n\n')
    }
  })
  const { url } = await startNginx(t, [replica.port])
  const reader = (await fetch(`${url}/mcp`)).body?.getReader()
  const first = await reader?.read()
  t.equal(Buffer.from(first?.value ?? []).toString(), 'data: first\n\n', 'before the last is written')
  finish()
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'data: last\n\n')
})

test('what a client says about itself is not believed where it matters', real, async t => {
  const replica = await upstream(t, (_request, response) => response.end('{}'))
  const { port } = await startNginx(t, [replica.port])
  // fetch would set Host by itself.
  await new Promise(resolve =>
    request(
      {
        port,
        host: '127.0.0.1',
        path: '/mcp',
        headers: {
          host: 'mine.test:8000',
          'x-forwarded-host': 'allowed.test',
          'x-forwarded-for': '203.0.113.9',
          'x-forwarded-proto': 'gopher',
          'x-request-id': 'abc-1'
        }
      },
      response => response.resume().on('end', resolve)
    ).end()
  )
  t.match(replica.seen[0]?.headers, {
    host: 'mine.test:8000',
    'x-forwarded-host': 'mine.test:8000',
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-request-id': 'abc-1'
  })
})

test('what is not a request that nginx passes on is an object all the same', real, async t => {
  const { port } = await startNginx(t, [await quietPort()])
  const sent: Array<[string, number]> = [
    ['garbage\r\n\r\n', 400],
    [`GET /x HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, 400],
    [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 400],
    ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405]
  ]
  for (const [bytes, status] of sent) {
    const reply = await raw(port, bytes)
    t.match(reply, new RegExp(`^HTTP/1.1 ${status} `))
    const body = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))) as ErrorBody
    t.same(body, asTheService(body))
  }
})

function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes)
    })
    socket.setTimeout(5000, () => {
      socket.destroy()
    })
    socket
      .on('data', chunk => {
        reply += chunk.toString()
      })
      .on('error', reject)
      .on('close', () => {
        resolve(reply)
      })
  })
}

test('the service behind it', real, async t => {
  const app = await startApp(t, { TRUST_PROXY: '1', METRICS_PORT: '0' })
  const proxy = await startNginx(t, [Number(new URL(await listen(app)).port)])
  const { status, headers, body } = await ask(
    proxy,
    '/mcp/tool/create_session',
    post('{"purpose":"through nginx"}', { 'x-api-key': API_KEY, 'x-agent-id': 'me', 'x-request-id': 'through-1' })
  )
  t.match({ status, body }, { status: 200, body: { success: true, session_id: /^session_/ } })
  t.equal(headers.get('x-request-id'), 'through-1')
  t.equal((await ask(proxy, '/health')).status, 200)
  t.match(
    await ask(proxy, '/metrics'),
    { status: 404, body: { code: 'TOOL_NOT_FOUND' } },
    'the metrics are not for the public'
  )
  t.equal((await ask(proxy, '/mcp/tool/no_such_tool', post('{}'))).body.code, 'TOOL_NOT_FOUND')
})
