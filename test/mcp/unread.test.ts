import { connect as connectTo, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import t from 'tap'
import { type EventStream, openEventStream } from '../../src/mcp/event-stream.js'
import { createOutbox } from '../../src/mcp/subscriptions/outbox.js'
import { createStreams } from '../../src/mcp/subscriptions/streams.js'
import { startApp } from '../helper.js'
import { eventually } from './clients.js'

/** What becomes of clients that do not read what they are sent. */

const { server: app } = await startApp(t)

t.test('a stream whose client does not read holds each notification once, and is cut off', async t => {
  const streams = createStreams(app, 20)
  const server = fastify({ forceCloseConnections: true })
  const opened: EventStream[] = []
  let closed = 0
  server.get('/', async (_request, reply) => {
    const stream = openEventStream(reply)
    const open = {
      stream,
      viewer: () => undefined,
      end() {
        stream.end()
      }
    }
    stream.onClose = () => {
      closed++
      streams.remove(open)
    }
    streams.add(open)
    opened.push(stream)
    return reply
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => server.close())
  const socket = connectTo((server.server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => {
    socket.destroy()
  })
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const stream = (await eventually(
    async () => opened[0],
    found => found !== undefined
  )) as EventStream
  // More than the two ends' kernels take.
  stream.write(`: ${'x'.repeat(50_000_000)}\n\n`)
  t.ok(stream.blocked)
  t.equal(
    await eventually(
      async () => closed,
      count => count === 1
    ),
    1,
    'cut off'
  )
  t.equal(streams.count(), 0)
})

t.test('what waits for a client is each URI once', async t => {
  const sent: string[] = []
  let blocked = true
  const outbox = createOutbox(
    uri => {
      sent.push(uri)
    },
    () => blocked
  )
  for (let i = 0; i < 1000; i++) outbox.updated(`session://${i % 3}`)
  await new Promise(resolve => {
    setTimeout(resolve, 300)
  })
  t.same(sent, [])
  blocked = false
  outbox.resume()
  await eventually(
    async () => sent.length,
    length => length >= 3
  )
  t.same(sent, ['session://0', 'session://1', 'session://2'])
  outbox.updated('session://0')
  outbox.close()
  await new Promise(resolve => {
    setTimeout(resolve, 300)
  })
  t.equal(sent.length, 3, 'nothing after the end')
})
