// A process of its own: sends the bodies of one attack until its time is over, then says how many answers of which
// status it got.
import { keepBusy } from './lanes.mjs'

const { port, key, ms, attack } = JSON.parse(process.argv[2])
const { path, body, bytes, sockets, addresses = 1, authenticated = false, chunk, short = false, pipelined = 1 } = attack
const MIB = 1024 * 1024

const fields = count => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field ${i}`, i]))
const bodies = {
  spaces: () => '{}'.padEnd(bytes),
  objects: () => `[${'{},'.repeat((bytes - 4) / 3)}{}]`,
  brackets: () => '['.repeat(bytes),
  numbers: () => JSON.stringify({ key: 'k', value: new Array(99_000).fill(1) }).padEnd(bytes),
  messages: () =>
    JSON.stringify({
      session_id: attack.session_id,
      messages: Array.from({ length: 80 }, () => ({ content: 'x'.repeat(99_000) }))
    }),
  fields: () => JSON.stringify(fields(60_000)),
  memory: () => JSON.stringify({ key: 'k', value: fields(9_900), idempotency_key: 'once' }),
  text: () => JSON.stringify({ key: 'k', value: 'é😀'.repeat(bytes / 6) }),
  batch: () => JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' }))),
  params: () => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: fields(9_900) } }),
  strings: () =>
    JSON.stringify({
      session_id: attack.session_id,
      messages: Array.from({ length: 100 }, () => ({ content: 'x', metadata: `{"a":${'['.repeat(39_000)}` }))
    })
}
const content = Buffer.from(bodies[body]())

function framed() {
  if (chunk === undefined) return content
  const parts = []
  for (let i = 0; i < content.length; i += chunk) {
    const part = content.subarray(i, i + chunk)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

const credentials = authenticated ? `X-API-Key: ${key}\r\nX-Agent-Id: hostile\r\n` : ''
const length = chunk === undefined ? `Content-Length: ${content.length}` : 'Transfer-Encoding: chunked'
const head =
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
  `Accept: application/json, text/event-stream\r\n${credentials}${length}\r\n\r\n`
const request = Buffer.concat([Buffer.from(head), framed()])
// The end of a body in chunks is the empty chunk too.
const sent = short ? request.subarray(0, request.length - (chunk === undefined ? 1 : 8)) : request

const answers = await keepBusy({
  port,
  sockets,
  addresses,
  ms,
  expected: pipelined,
  begin(socket) {
    for (let n = 0; n < pipelined; n++) socket.write(sent)
  }
})
process.stdout.write(JSON.stringify({ answers, megabytes: Math.round(sent.length / MIB) }))
