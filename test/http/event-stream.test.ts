import { connect, type Socket } from 'node:net'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { commentFrame, escapeLineBreaks, eventFrame } from '../../src/http/event-frames.js'
import { EventStream, type EventStreamOptions } from '../../src/http/event-stream.js'
import { API_KEY, type As, listen, newSession, ok, startApp } from '../helper.js'
import { MODERN, openSession } from '../mcp/clients.js'
import { until } from '../support/until.js'
import { openStream } from './stream-client.js'

/** Event streams over real sockets, with clients that read, stop reading, and leave. */

type Reason = 'done' | 'stopping'

interface Opened {
  stream: EventStream<Reason>
  /** Why it ended, each time that it was told. */
  ended: string[]
  socket: Socket
  /** All that the client has read. */
  text: () => string
  bytes: () => number
}

/** A stream, and its client, which reads if nobody pauses its socket. */
async function open(t: Test, options: EventStreamOptions<Reason> = {}, paused = false): Promise<Opened> {
  const server = fastify({ forceCloseConnections: true })
  const ended: string[] = []
  const streams: Array<EventStream<Reason>> = []
  server.get('/', async (_request, reply) => {
    void reply.header('x-from-a-hook', 'yes')
    streams.push(
      new EventStream<Reason>(reply, {
        last: reason => commentFrame(`ended: ${reason}`),
        ...options,
        onEnd: reason => {
          ended.push(reason)
        }
      })
    )
    return reply
  })
  const socket = connect(Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port), '127.0.0.1')
  let text = ''
  let bytes = 0
  socket.on('error', () => {})
  socket.on('data', chunk => {
    bytes += chunk.length
    if (text.length < 100_000) text += chunk.toString()
  })
  if (paused) socket.pause()
  t.teardown(async () => {
    socket.destroy()
    await server.close()
  })
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => streams.length === 1, 'the stream is open')
  return { stream: streams[0] as EventStream<Reason>, ended, socket, text: () => text, bytes: () => bytes }
}

/** More than the kernel holds for both ends. */
const MUCH = Buffer.alloc(20_000_000, 'x')

t.test('a frame has its data on one line, whatever a client takes for the end of one', async t => {
  const data = { text: 'one\ntwo\r\nthree\u2028four\u2029five\u0085six' }
  const frame = eventFrame('message_added', data, 7)
  t.match(frame, /^id: 7\nevent: message_added\ndata: .*\n\n$/)
  t.notMatch(frame, /[\r\u0085\u2028\u2029]/)
  t.match(frame, /three\\u2028four\\u2029five\\u0085six/)
  const [line = ''] = frame.split('\n').filter(line => line.startsWith('data: '))
  t.same(JSON.parse(line.slice('data: '.length)), data)
  t.equal(eventFrame('a', {}), 'event: a\ndata: {}\n\n')
  t.equal(commentFrame('open'), ': open\n\n')
  t.equal(escapeLineBreaks('{"a":"b"}'), '{"a":"b"}')
})

t.test('begins with its headers, and those that hooks have set; shows that it is alive', async t => {
  const now: { position?: string } = {}
  const { stream, text } = await open(t, { heartbeat_ms: 30, heartbeat: () => now.position })
  await until(() => text().includes(': \n\n'), 'a comment')
  t.match(text(), /^HTTP\/1\.1 200 OK\r\n/)
  for (const header of [
    /content-type: text\/event-stream; charset=utf-8\r\n/,
    /cache-control: no-store, no-transform\r\n/,
    /x-accel-buffering: no\r\n/,
    /connection: close\r\n/i,
    /x-from-a-hook: yes\r\n/
  ])
    t.match(text(), header)
  now.position = eventFrame('position', {}, 5)
  await until(() => text().includes('id: 5\nevent: position\ndata: {}\n\n'), 'a position')
  t.equal(stream.ready(), undefined)
  t.notOk(stream.ended)
})

t.test('ends once, with a reason, after what was sent', async t => {
  const { stream, ended, socket, text } = await open(t, { heartbeat_ms: 20 })
  const closed = new Promise(resolve => socket.once('close', resolve))
  void stream.send('data: 1\n\n')
  stream.end('done')
  stream.end('stopping')
  void stream.send('data: 2\n\n')
  await closed
  t.match(text(), /data: 1\n\n[^:]*: ended: done\n\n/)
  t.notMatch(text(), /data: 2|stopping/)
  t.same(ended, ['done'])
  t.ok(stream.ended)
})

t.test('a client that leaves ends it', async t => {
  const { stream, ended, socket } = await open(t)
  socket.destroy()
  await until(() => ended.length > 0, 'noticed')
  stream.end('done')
  t.same(ended, ['gone'])
})

t.test('a writer waits for a client that does not read, and goes on when it does', async t => {
  const { stream, ended, socket, bytes } = await open(t, { heartbeat_ms: 10 }, true)
  let read = false
  const waiting = stream.send(MUCH)
  t.ok(waiting instanceof Promise)
  t.ok(stream.ready() instanceof Promise)
  void waiting?.then(() => {
    read = true
  })
  await new Promise(resolve => setTimeout(resolve, 100))
  t.notOk(read, 'not yet')
  socket.resume()
  await waiting
  t.equal(stream.ready(), undefined)
  t.equal(stream.send('data: more\n\n'), undefined, 'one delivery may be large, if the client reads')
  await until(() => bytes() > MUCH.length, 'all of it has arrived')
  t.same(ended, [])
})

t.test('a client that has left 1 MiB unread gets nothing further', async t => {
  const { stream, ended, socket, bytes } = await open(t, {}, true)
  void stream.send(MUCH)
  const waiting = stream.ready()
  void stream.send('data: too much\n\n')
  t.same(ended, ['slow_reader'])
  await waiting
  t.pass('its writer does not wait any longer')
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.resume()
  await closed
  t.ok(bytes() > MUCH.length, 'what was sent before it may still read')
})

t.test('a client that leaves something unread for too long is sent away', async t => {
  const { ended, stream } = await open(t, { heartbeat_ms: 20, unread_ms: 60 }, true)
  void stream.send(MUCH)
  await until(() => ended.length > 0, 'noticed')
  t.same(ended, ['slow_reader'])
})

t.test('line breaks of Unicode in a message cut no frame: REST, and MCP of both eras', async t => {
  const app = await startApp(t)
  const base = await listen(app)
  const WRITER: As = { agent_id: 'writer' }
  const written = { content: 'one\u2028two\u2029three', metadata: { note: 'three\u0085four' } }
  const session_id = await newSession(app, WRITER)
  const isWhole = (text: string) => {
    t.notMatch(text, /[\u0085\u2028\u2029]/)
    const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).filter(line => line.startsWith('data: '))
    t.doesNotThrow(() => lines.map(line => JSON.parse(line.slice('data: '.length)) as unknown))
    t.match(text, /one\\+u2028two\\+u2029three/)
    t.match(text, /three\\+u0085four/)
  }

  for (const path of [`/mcp/sessions/${session_id}/events?after_seq=0`, '/mcp/events']) {
    const stream = await openStream(base, path, WRITER)
    await stream.waitFor(events => events.length > 0)
    await ok(app, 'add_message', { session_id, ...written }, WRITER)
    await stream.waitFor(() => stream.changes().some(({ data }) => data.message.content === written.content))
    isWhole(stream.text())
    stream.close()
  }

  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'wait_for_messages',
      arguments: { session_id, timeout_seconds: 25 },
      _meta: { progressToken: 'p' }
    }
  }
  const modern = {
    ...call,
    params: {
      ...call.params,
      _meta: {
        ...call.params._meta,
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'a modern client', version: '1' }
      }
    }
  }
  for (const [message, headers] of [
    [call, await openSession(app)],
    [modern, { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'wait_for_messages' }]
  ] as const) {
    const response = await fetch(`${base}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'x-api-key': API_KEY,
        'x-agent-id': 'reader',
        ...headers
      },
      body: JSON.stringify(message)
    })
    t.match(response.headers.get('content-type'), /^text\/event-stream/, 'progress has been told')
    await ok(app, 'add_message', { session_id, ...written }, WRITER)
    isWhole(await response.text())
  }
})
