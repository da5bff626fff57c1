import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { API_KEY, call, ok, startApp } from '../helper.js'
import { type Fleet, startFleet } from '../replicas/fleet.js'
import { createDatabase } from '../support/cluster.js'
import { post, until } from '../support/rest.js'

/**
 * Who tries to use the server up: with bytes, with slowness, with connections, with guesses. It is a process of its
 * own, whose memory is watched.
 */

// A machine may be slow.
t.setTimeout(600_000)
const database = await createDatabase()
t.teardown(() => database.drop())
const MB = 1024 * 1024

/** What the heap and the buffers may grow by. */
const GROWTH_MB = 60

async function server(
  t: Test,
  more: Record<string, string> = {}
): Promise<{ fleet: Fleet; url: string; port: number }> {
  const fleet = await startFleet(t, database.url, more, 1)
  const url = fleet.urls[0] as string
  await post(url, 'list_sessions', {})
  return { fleet, url, port: fleet.ports[0] as number }
}

/** A raw connection, and what has come over it. */
async function open(port: number): Promise<{ socket: Socket; text: () => string; closed: () => boolean }> {
  let text = ''
  let closed = false
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await new Promise<void>(resolve =>
    socket.once('connect', () => {
      resolve()
    })
  )
  return { socket, text: () => text, closed: () => closed }
}

const head = (more: string) =>
  'POST /mcp/tool/set_memory HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ' +
  `application/json\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: glutton\r\n${more}\r\n`

t.test('bodies of two gigabytes', async t => {
  const { fleet, url, port } = await server(t)
  const before = await fleet.level(0)
  for (const length of [2 ** 31, 2 ** 53, '99999999999999999999']) {
    const { socket, text, closed } = await open(port)
    socket.write(head(`Content-Length: ${length}\r\n`))
    // Not a byte of it is sent: it is refused for its length alone.
    await until(`an answer to a body of ${length} bytes`, () => text().includes('"success":false'))
    t.match(text(), /^HTTP\/1.1 4(13|00) /, `${length} bytes, declared`)
    socket.destroy()
    await until('the end', closed)
  }

  const chunk = Buffer.alloc(MB, 0x20)
  const framed = Buffer.concat([Buffer.from(`${MB.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
  const senders = await Promise.all(Array.from({ length: 8 }, () => open(port)))
  const sent = await Promise.all(
    senders.map(async ({ socket, text, closed }) => {
      socket.write(head('Transfer-Encoding: chunked\r\n'))
      let megabytes = 0
      while (megabytes < 2048 && !closed()) {
        if (!socket.write(framed))
          await new Promise<void>(resolve => {
            socket.once('drain', resolve).once('close', resolve)
          })
        megabytes++
      }
      socket.destroy()
      return { megabytes, answer: text() }
    })
  )
  // Who goes on sending to a server that has hung up is told by a reset, which may overtake the answer.
  // Of eight bodies from one address, not all find room at the same time.
  for (const { answer } of sent)
    t.ok(answer === '' || /"code":"(PAYLOAD_TOO_LARGE|SERVICE_UNAVAILABLE)"/.test(answer), 'in chunks')
  t.ok(
    sent.some(({ answer }) => answer !== ''),
    'somebody is told why'
  )
  t.ok(
    sent.every(({ megabytes }) => megabytes < 2048),
    `the server hung up after ${Math.max(...sent.map(({ megabytes }) => megabytes))} of 2048 MB`
  )
  const after = await fleet.level(0)
  t.ok(after.heap - before.heap < GROWTH_MB * MB, `grew by ${Math.round((after.heap - before.heap) / MB)} MB`)
  t.match(await post(url, 'list_sessions', {}), { status: 200 })
})

t.test('headers and bodies that never come to an end', async t => {
  const { url, port } = await server(t, { REQUEST_TIMEOUT_MS: '700' })
  const slow = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const connection = await open(port)
      const { socket } = connection
      // Half dribble their headers, half their bodies, a byte at a time.
      socket.write(
        i % 2 === 0
          ? 'POST /mcp/tool/list_sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '
          : `${head('Content-Length: 100000\r\n')}{`
      )
      const dribble = setInterval(() => {
        if (!connection.closed()) socket.write('a')
      }, 100)
      socket.on('close', () => {
        clearInterval(dribble)
      })
      return connection
    })
  )
  t.match(await post(url, 'list_sessions', {}), { status: 200 }, 'others are served meanwhile')
  await until('all of them are shut', () => slow.every(({ closed }) => closed()))
  t.ok(slow.filter(({ text }) => text().startsWith('HTTP/1.1 408 ')).length >= 50, 'most were told why')
  t.match(await post(url, 'list_sessions', {}), { status: 200 })
})

t.test('a thousand idle streams', async t => {
  const { fleet, url, port } = await server(t)
  const before = await fleet.level(0)
  const streams = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const stream = await open(port)
      stream.socket.write(
        `GET /mcp/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: idler-${i % 20}\r\n\r\n`
      )
      await until('a stream that has begun', () => stream.text().includes('event: start'))
      return stream
    })
  )
  t.equal(await fleet.gauge(0, 'event_streams_open'), 1000)
  t.match(await post(url, 'create_session', { purpose: 'while they idle' }), { status: 200 })
  const during = await fleet.level(0)
  t.ok(
    during.heap - before.heap < GROWTH_MB * MB,
    `a stream takes ${Math.round((during.heap - before.heap) / 1000)} bytes`
  )

  const over = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const stream = await open(port)
      stream.socket.write(
        'GET /mcp/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-API-Key: ' +
          `${API_KEY}\r\nX-Agent-Id: idler-0\r\n\r\n`
      )
      await until(
        'an answer',
        () => stream.text().includes('event: start') || stream.text().includes('"success":false')
      )
      return stream
    })
  )
  t.equal(over.filter(({ text }) => text().includes('RATE_LIMITED')).length, 10, 'one agent may have a hundred')
  for (const { socket } of [...streams, ...over]) socket.destroy()
  await until('all are gone', async () => (await fleet.gauge(0, 'event_streams_open')) === 0)
  t.match(await post(url, 'list_sessions', {}), { status: 200 })
})

t.test('ten thousand wrong keys, and a right one all the while', async t => {
  const app = await startApp(t, {}, { url: database.url })
  let wrong = 0
  const codes = new Map<string, number>()
  const guess = async (lane: number) => {
    while (wrong < 10_000) {
      const n = wrong++
      const { body } = await call(
        app,
        'list_sessions',
        {},
        { anonymous: true, headers: { 'x-api-key': `${API_KEY.slice(0, -5)}${n}-${lane}`, 'x-agent-id': 'guesser' } }
      )
      codes.set(body.code, (codes.get(body.code) ?? 0) + 1)
      // It is in the server's process: without this, the loop would never come to what the right key waits for.
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  let right = 0
  const work = async () => {
    while (wrong < 10_000) {
      await ok(app, 'list_sessions', { limit: 1 }, { agent_id: 'honest' })
      right++
    }
  }
  await Promise.all([...Array.from({ length: 20 }, (_, lane) => guess(lane)), work()])
  t.same(
    [...codes.keys()].filter(code => code !== 'INVALID_API_KEY' && code !== 'RATE_LIMITED'),
    [],
    JSON.stringify([...codes])
  )
  t.ok(right > 20, `${right} calls with the right key, each answered`)
  const { rows } = await app.database.pool.query(
    "select count(*)::int as n from audit_log where event_type = 'credential_refused'"
  )
  t.ok(rows[0].n < 200, `${rows[0].n} audit rows: the log is not flooded`)
})
