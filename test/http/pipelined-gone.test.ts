import { connect } from 'node:net'
import t from 'tap'
import { API_KEY, listen, newSession, startApp } from '../helper.js'
import { until } from '../support/until.js'

/** Requests that wait behind another one on their connection, and whose client goes away. */

const app = await startApp(t)
const base = await listen(app)
const session_id = await newSession(app)
const known = `Host: 127.0.0.1\r\nX-API-Key: ${API_KEY}\r\nX-Agent-Id: agent-1\r\n`

function post(tool: string, args: object): string {
  const body = JSON.stringify(args)
  const head = `Content-Type: application/json\r\nContent-Length: ${body.length}`
  return `POST /mcp/tool/${tool} HTTP/1.1\r\n${known}${head}\r\n\r\n${body}`
}

const metrics = async () => (await fetch(`${base}/metrics`, { headers: { connection: 'close' } })).text()

async function held(): Promise<string[]> {
  const text = await metrics()
  const gauges = text.match(/^(?:waiters|followers|http_requests_in_flight|event_streams_open)(?:\{.*\})? .*$/gm) ?? []
  return gauges.filter(line => !line.endsWith(' 0'))
}

t.test('the server lives on when a client leaves more requests behind than are worked on', async t => {
  const socket = connect(Number(new URL(base).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(post('wait_for_messages', { session_id, timeout_seconds: 50 }).repeat(20))
  await until(async () => (await held()).some(line => /^waiters [2-9]/.test(line)), 'some of them wait')
  socket.destroy()
  await until(async () => (await held()).length === 0, 'nothing is held').catch(() => {})
  t.same(await held(), [])
})

const wait = post('wait_for_messages', { session_id, timeout_seconds: 50 })
for (const [what, behind, begun] of [
  ['a wait', wait, /^waiters 2$/m],
  [
    'a stream',
    `GET /mcp/sessions/${session_id}/events HTTP/1.1\r\n${known}\r\n`,
    /^event_streams_open\{kind="session"\} 1$/m
  ],
  ['a call', post('get_messages', { session_id }), /^mcp_requests_total\{tool="get_messages",status="success"\} 1$/m]
] as const) {
  t.test(`${what} behind another request ends with its connection`, async t => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(wait + behind)
    await until(async () => (await held()).some(line => line.startsWith('waiters')), 'the first request waits')
    await until(async () => begun.test(await metrics()), 'the one behind it is worked on')
    socket.destroy()
    await until(async () => (await held()).length === 0, 'nothing is held').catch(() => {})
    t.same(await held(), [])
  })
}
