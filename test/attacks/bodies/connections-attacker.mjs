// A process of its own: does one thing on many connections until its time is over, then says how many answers it got.
import { connect } from 'node:net'
import { keepBusy } from './lanes.mjs'

const { port, key, ms, attack } = JSON.parse(process.argv[2])
const { kind, sockets, path = '/', session_id } = attack
const known = `X-API-Key: ${key}\r\nX-Agent-Id: hostile\r\n`

const postTo = (at, body, more = '') =>
  `POST ${at} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
  `Accept: application/json, text/event-stream\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
const get = (at, more = '') => `GET ${at} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`
const one = () =>
  path.startsWith('/mcp/tool')
    ? postTo(path, '{}')
    : path === '/mcp'
      ? postTo(path, '{"jsonrpc":"2.0","id":1,"method":"ping"}')
      : get(path)
const many = text => text.repeat(1000)
const MEMORY = '/mcp/tool/set_memory'
const message = postTo(
  '/mcp/tool/add_message',
  JSON.stringify({ session_id, content: 'x'.repeat(50_000) }),
  `X-API-Key: ${key}\r\nX-Agent-Id: writer\r\n`
)

/** What is sent at first, and whether the connection is left once so many answers have come. */
const kinds = {
  none: { text: '' },
  pipelined: { text: many(one()), answers: 1000 },
  pipelinedKnown: { text: many(postTo(path, '{}', known)), answers: 1000 },
  pipelinedUnread: { text: many(one()), unread: true },
  pipelinedBehind: { text: postTo(path, '{"a":1}').slice(0, -1), then: `}${many(one())}`, answers: 1000 },
  largeHead: { text: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`, answers: 1 },
  manyHeaders: { text: get('/health/live', 'a:b\r\n'.repeat(2000)), answers: 1 },
  slowHead: { text: 'GET / HTTP/1.1\r\nHost: a\r\nX: ', dribble: 'x' },
  slowBody: { text: postTo(MEMORY, 'x'.repeat(100_000)).slice(0, -99_000), dribble: 'x' },
  expect: { text: postTo(MEMORY, 'x'.repeat(100), 'Expect: 100-continue\r\n').slice(0, -100) },
  garbage: { text: '\x16\x03\x01\0'.repeat(10_000), answers: 1 },
  method: { text: 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', answers: 1 },
  idle: { text: get('/health/live') },
  openClose: { text: '', left: true },
  streamLeft: { text: get(path, known), answers: 1 },
  streamUnread: { text: get(path, known), unread: true },
  streamStranger: { text: get(path, 'Accept: text/event-stream\r\n'), answers: 1 }
}
const what = kinds[kind]

function begin(socket) {
  let dribble
  socket.write(what.text)
  if (what.left) socket.destroy()
  if (what.then !== undefined) setTimeout(() => socket.write(what.then), 50)
  if (what.dribble !== undefined) dribble = setInterval(() => socket.write(what.dribble), 100)
  if (what.unread) socket.pause()
  return () => clearInterval(dribble)
}

/** Writes messages, so that those who do not read their streams have something that they do not read. */
function write() {
  const socket = connect({ port, host: '127.0.0.1' }, () => {
    const timer = setInterval(() => socket.write(message), 50)
    setTimeout(() => socket.destroy(), ms)
    socket.on('close', () => clearInterval(timer))
  })
  socket.on('error', () => {}).resume()
}

if (kind === 'streamUnread') write()
const answers = await keepBusy({ port, sockets, ms, expected: what.answers, begin, isRead: !what.unread })
process.stdout.write(JSON.stringify({ answers }))
