import type { Socket } from 'node:net'
import t from 'tap'
import { API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { openRaw, toolRequest } from '../support/raw-connection.js'
import { until } from '../support/rest.js'

/** Requests behind each other on one connection, however they are cut: each is answered once, in their order. */

const app = await startApp(t)
const base = await listen(app)
const session_id = await newSession(app)

type Spied = Socket & { parser?: { _consumed: boolean } }
const accepted: Spied[] = []
app.server.server.on('connection', socket => accepted.push(socket))

const names = (count: number, prefix = 'r') => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
const named = (text: string) => [...text.matchAll(/^x-request-id: (\S+)/gm)].map(([, name]) => name)

t.test('a thousand requests in one write', async t => {
  for (const [who, headers] of [
    ['somebody unknown', { 'x-api-key': '', 'x-agent-id': '' }],
    ['an agent', {}]
  ] as Array<[string, Record<string, string>]>) {
    const ids = names(1000)
    const connection = await openRaw(base)
    const request = (id: string) => toolRequest('get_usage_guidance', {}, { ...headers, 'x-request-id': id })
    connection.send(ids.map(request).join(''))
    await connection.answers(1000)
    t.same(named(connection.received()), ids, `${who}: in their order`)
    t.ok(
      connection.statuses().every(status => status === 200),
      `${who}: each is answered`
    )
    connection.socket.destroy()
  }
})

t.test(
  'the parser reads a connection itself once its caller is known; the parts of Node that do it are there',
  async t => {
    const connection = await openRaw(base)
    await until('accepted', () => accepted.some(({ remotePort }) => remotePort === connection.socket.localPort))
    const server = accepted.find(({ remotePort }) => remotePort === connection.socket.localPort) as Spied
    t.equal(server.parser?._consumed, false, 'at first')
    connection.send('GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await connection.answers(1)
    connection.send(toolRequest('get_usage_guidance', {}, { 'x-api-key': '', 'x-agent-id': '' }))
    await connection.answers(2)
    t.equal(server.parser?._consumed, false, 'without credentials')
    connection.send(toolRequest('list_sessions', {}))
    await connection.answers(3)
    await until('consumed', () => server.parser?._consumed === true)
    for (let i = 4; i < 10; i++) {
      connection.send(toolRequest('list_sessions', {}))
      await connection.answers(i)
    }
    connection.send(toolRequest('add_message', { session_id, content: 'x'.repeat(90_000) }))
    t.same(await connection.answers(10), new Array(10).fill(200))
    connection.socket.destroy()
  }
)

t.test('requests that are cut anywhere', async t => {
  const one = toolRequest('add_message', { session_id, content: 'first\r\n\r\nGET / HTTP/1.1\r\n\r\n' })
  const chunked = toolRequest('add_message', {}, { 'transfer-encoding': 'chunked', 'content-length': '' })
    .replace('content-length: \r\n', '')
    .replace(/\{\}$/, '')
  const two = `${chunked}${chunksOf(JSON.stringify({ session_id, content: 'second\r\n\r\n' }), 7)}`
  for (const [what, text] of [
    ['with lengths', one + one + one],
    ['in chunks', two + one + two]
  ] as const) {
    const cuts = Array.from({ length: 60 }, (_, i) => Math.floor(((i + 1) * text.length) / 61))
    const answers = await Promise.all(
      cuts.map(async at => {
        const connection = await openRaw(base)
        connection.socket.setNoDelay(true)
        connection.send(text.slice(0, at))
        await new Promise(resolve => setTimeout(resolve, 100))
        connection.send(text.slice(at))
        const statuses = await connection.answers(3)
        connection.socket.destroy()
        return statuses
      })
    )
    t.same(
      answers,
      cuts.map(() => [200, 200, 200]),
      what
    )
  }
})

t.test('a client that reads its answers late', async t => {
  const large = await newSession(app)
  for (let i = 0; i < 5; i++) await ok(app, 'add_message', { session_id: large, content: 'y'.repeat(50_000) })
  const ids = names(60, 'late')
  const connection = await openRaw(base)
  connection.socket.pause()
  connection.send(ids.map(id => toolRequest('get_messages', { session_id: large }, { 'x-request-id': id })).join(''))
  await new Promise(resolve => setTimeout(resolve, 500))
  connection.socket.resume()
  await connection.answers(60)
  t.same(named(connection.received()), ids)
  connection.socket.destroy()
})

t.test('clients that leave while their requests wait', async t => {
  const request = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
  for (const after_ms of [0, 1, 5, 20, 50]) {
    const connections = await Promise.all(Array.from({ length: 20 }, () => openRaw(base)))
    for (const connection of connections) connection.send(request.repeat(1000))
    await new Promise(resolve => setTimeout(resolve, after_ms))
    for (const { socket } of connections) socket.destroy()
  }
  const connection = await openRaw(base)
  connection.send(request)
  t.same(await connection.answers(1), [200], 'the server goes on')
  connection.socket.destroy()
})

t.test('a body that comes while other requests wait', async t => {
  const connection = await openRaw(base)
  const wait = toolRequest('wait_for_messages', { session_id, timeout_seconds: 1, after_seq: 1_000_000 })
  const long = toolRequest('add_message', { session_id, content: 'z'.repeat(99_000) })
  connection.send(wait.repeat(10) + long.repeat(3))
  t.equal((await connection.answers(13)).length, 13)
  connection.socket.destroy()
})

t.test('credentials that come late, among many requests', async t => {
  const unknown = toolRequest('get_usage_guidance', {}, { 'x-api-key': '', 'x-agent-id': '' })
  const known = toolRequest('get_usage_guidance', {}, { 'x-api-key': API_KEY })
  const connection = await openRaw(base)
  connection.send((unknown.repeat(9) + known).repeat(20))
  t.same(await connection.answers(200), new Array(200).fill(200))
  connection.socket.destroy()
})

function chunksOf(text: string, size: number): string {
  const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
  return `${chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
}
