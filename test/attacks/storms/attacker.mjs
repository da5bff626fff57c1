// A process of its own: sends one storm until its time is over, then says how many answers of which status it got.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const { port, key, agent, ms, session_id, storm } = JSON.parse(process.argv[2])
const { kind, sockets, authenticated = false, addresses = 4, writes } = storm
const path = (storm.path ?? '/mcp/tool/add_message').replace(':session', session_id)
const end = Date.now() + ms
const BYTE_MS = 100
const answers = {}
const count = what => {
  answers[what] = (answers[what] ?? 0) + 1
}

const host = 'Host: 127.0.0.1\r\n'
const known = `${host}X-API-Key: ${key}\r\nX-Agent-Id: ${agent}\r\n`
const credentials = authenticated ? known : host
const json = 'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n'

function post(to, body, headers = credentials) {
  const text = JSON.stringify(body)
  return `POST ${to} HTTP/1.1\r\n${headers}${json}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}
const message = content => ({ session_id, content })
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'storm', version: '1' } }
}

/** A connection, until the storm or the server ends it. `on` is given what arrives, as text. */
function open(i, { on = () => {}, begin }) {
  return new Promise(resolve => {
    // 127.0.0.1 is the honest client's.
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (i % addresses)}` })
    const stop = setTimeout(() => socket.destroy(), Math.max(0, end - Date.now()))
    socket.on('connect', () => begin(socket))
    socket.on('data', data => {
      const text = data.toString('latin1')
      for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3})/g)) count(status)
      on(text, socket)
    })
    socket.on('error', ({ code }) => count(code))
    socket.on('close', () => {
      clearTimeout(stop)
      resolve()
    })
  })
}

/** Says a text one byte at a time. */
async function slowly(socket, text) {
  for (const byte of text) {
    if (socket.destroyed) return
    socket.write(byte)
    await sleep(BYTE_MS)
  }
}

const kinds = {
  idle: i => open(i, { begin() {} }),
  'slow head': i =>
    open(i, { begin: socket => slowly(socket, `POST ${path} HTTP/1.1\r\n${credentials}X-A: ${'b'.repeat(9999)}`) }),
  'slow body': i =>
    open(i, {
      begin(socket) {
        socket.write(`POST ${path} HTTP/1.1\r\n${credentials}${json}Content-Length: 99999\r\n\r\n`)
        void slowly(socket, `{"session_id":"${'x'.repeat(9999)}`)
      }
    }),
  'endless body': i =>
    open(i, {
      async begin(socket) {
        socket.write(`POST ${path} HTTP/1.1\r\n${credentials}${json}Transfer-Encoding: chunked\r\n\r\n`)
        for (const chunk = `1000\r\n${' '.repeat(4096)}\r\n`; !socket.destroyed; await sleep(1))
          if (!socket.write(chunk)) await new Promise(resolve => socket.once('drain', resolve).once('close', resolve))
      }
    }),
  pipelined: i =>
    open(i, {
      begin(socket) {
        socket.write(post('/mcp/tool/get_messages', { session_id, limit: 100 }).repeat(100))
      }
    }),
  unread: i =>
    open(i, {
      begin(socket) {
        socket.write(`GET ${path} HTTP/1.1\r\n${credentials}Accept: text/event-stream\r\n\r\n`)
      },
      on: (_, socket) => socket.pause()
    }),
  initialize: i =>
    open(i, {
      begin: socket => socket.write(post('/mcp', initialize)),
      on: (_, socket) => socket.write(post('/mcp', initialize))
    }),
  'mcp stream': i => {
    let mcp_session
    return open(i, {
      begin: socket => socket.write(post('/mcp', initialize)),
      on(text, socket) {
        if (mcp_session !== undefined) return void socket.pause()
        mcp_session = /^mcp-session-id: (\S+)/im.exec(text)?.[1]
        if (mcp_session === undefined) return
        const session = `Mcp-Session-Id: ${mcp_session}\r\nMcp-Protocol-Version: 2025-11-25\r\n`
        const subscribe = {
          jsonrpc: '2.0',
          id: 1,
          method: 'resources/subscribe',
          params: { uri: `session://${session_id}` }
        }
        socket.write(post('/mcp', subscribe, credentials + session))
        socket.write(`GET /mcp HTTP/1.1\r\n${credentials}${session}Accept: text/event-stream\r\n\r\n`)
      }
    })
  },
  wait: i => {
    const ask = post('/mcp/tool/wait_for_messages', { session_id, timeout_seconds: 50 })
    return open(i, { begin: socket => socket.write(ask), on: (_, socket) => socket.write(ask) })
  }
}

async function write() {
  const body = post('/mcp/tool/add_message', message('x'.repeat(writes)), known)
  while (Date.now() < end)
    await open(0, { begin: socket => socket.write(body), on: (_, socket) => setTimeout(() => socket.write(body), 20) })
}

async function lane(i) {
  while (Date.now() < end) {
    await kinds[kind](i)
    await sleep(20)
  }
}

if (sockets === 0) await sleep(ms)
await Promise.all([...Array.from({ length: sockets }, (_, i) => lane(i)), ...(writes === undefined ? [] : [write()])])
process.stdout.write(JSON.stringify(answers))
