import { request as httpRequest } from 'node:http'
import t, { type Test } from 'tap'
import { API_KEY, listen, startApp } from '../helper.js'
import { startNginx } from '../support/nginx.js'
import { needs } from '../support/programs.js'
import { openRaw, toolRequest } from '../support/raw-connection.js'
import { until } from '../support/rest.js'

/** Who sends a body that is refused gets to read why, whichever client it is: no broken pipe in place of the answer. */

const MIB = 1024 * 1024
const ROUNDS = 3
const AS = { 'content-type': 'application/json', 'x-api-key': API_KEY, 'x-agent-id': 'large' }

interface Sent {
  url: string
  headers: Record<string, string>
  body: Buffer
}
type Client = (sent: Sent) => Promise<number | string>

function* pieces(body: Buffer): Generator<Buffer> {
  for (let i = 0; i < body.length; i += 65_536) yield body.subarray(i, i + 65_536)
}

async function byFetch({ url, headers, body }: Sent, stream: boolean): Promise<number | string> {
  const content = stream ? { body: ReadableStream.from(pieces(body)), duplex: 'half' } : { body }
  try {
    const response = await fetch(url, { method: 'POST', headers, ...content } as RequestInit)
    await response.text()
    return response.status
  } catch (error) {
    return String(((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? error)
  }
}

async function byRequest({ url, headers, body }: Sent, stream: boolean): Promise<number | string> {
  return new Promise(resolve => {
    const length = stream ? {} : { 'content-length': body.length }
    const sent = httpRequest(url, { method: 'POST', headers: { ...headers, ...length } }, response => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    sent.on('error', error => {
      resolve(String((error as NodeJS.ErrnoException).code))
    })
    for (const piece of stream ? pieces(body) : [body]) sent.write(piece)
    sent.end()
  })
}

const clients: Record<string, Client> = {
  fetch: sent => byFetch(sent, false),
  'fetch of a stream': sent => byFetch(sent, true),
  'http.request': sent => byRequest(sent, false),
  'http.request in chunks': sent => byRequest(sent, true)
}

async function allGet(t: Test, status: number, sent: Omit<Sent, 'body'>, megabytes: number[]): Promise<void> {
  for (const size of megabytes) {
    const body = Buffer.from(JSON.stringify({ session_id: 'session_0', content: 'a'.repeat(size * MIB) }))
    for (const [name, client] of Object.entries(clients)) {
      const got = []
      for (let i = 0; i < ROUNDS; i++) got.push(await client({ ...sent, body }))
      t.same(got, new Array(ROUNDS).fill(status), `${status} by ${name}, ${size} MiB, ${new URL(sent.url).pathname}`)
    }
  }
}

t.test('a body that is too large', async t => {
  const base = await listen(await startApp(t))
  for (const path of ['/mcp/tool/add_message', '/mcp'])
    await allGet(t, 413, { url: `${base}${path}`, headers: AS }, [9, 20])
  await allGet(
    t,
    413,
    { url: `${base}/mcp/tool/get_usage_guidance`, headers: { 'content-type': AS['content-type'] } },
    [9]
  )
})

t.test('through nginx', needs('nginx'), async t => {
  const base = await listen(await startApp(t))
  const nginx = await startNginx(t, [Number(new URL(base).port)])
  for (const path of ['/mcp/tool/add_message', '/mcp'])
    await allGet(t, 413, { url: `${nginx.url}${path}`, headers: AS }, [9])
  // nginx lets it pass, and the service does not.
  const open = await startNginx(t, [Number(new URL(base).port)], conf =>
    conf.replace('client_max_body_size 8m', 'client_max_body_size 64m')
  )
  await allGet(t, 413, { url: `${open.url}/mcp/tool/add_message`, headers: AS }, [9])
})

t.test('a body that is refused for another reason', async t => {
  const base = await listen(await startApp(t, { RATE_LIMIT_FAILURES_PER_MINUTE: '0' }))
  const url = `${base}/mcp/tool/add_message`
  await allGet(t, 401, { url, headers: { ...AS, 'x-api-key': 'wrong' } }, [9])
  await allGet(t, 401, { url: `${base}/mcp`, headers: { ...AS, 'x-api-key': 'wrong' } }, [9])
  await allGet(t, 415, { url, headers: { ...AS, 'content-type': 'text/plain' } }, [9])
  await allGet(t, 404, { url: `${base}/nothing`, headers: AS }, [9])
  await allGet(t, 405, { url: `${base}/health`, headers: AS }, [9])
})

t.test('a body that comes too often, or for which there is no room', async t => {
  const often = await listen(await startApp(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '1' }))
  await fetch(often)
  await allGet(t, 429, { url: `${often}/mcp/tool/add_message`, headers: AS }, [9])

  const limits = { BODY_LIMIT: String(MIB), BODY_MEMORY: String(16 * MIB) }
  const full = await startApp(t, limits)
  const base = await listen(full)
  const reserved = async () =>
    Number(/request_body_bytes\{caller="known"\} (\d+)/.exec((await full.server.inject('/metrics')).body)?.[1])
  // An address may have half of what is for known callers, three quarters of all.
  const held = await Promise.all(Array.from({ length: 10 }, () => openRaw(base)))
  const body = toolRequest('add_message', { content: 'x'.repeat(0.59 * MIB) })
  for (const connection of held) connection.send(body.slice(0, -10))
  await until('it is full', async () => (await reserved()) > 5.8 * MIB)
  await allGet(t, 503, { url: `${base}/mcp/tool/add_message`, headers: AS }, [0.9])
  for (const connection of held) connection.socket.destroy()
})

t.test('a client that asks before it sends its body', async t => {
  const base = await listen(await startApp(t))
  const asks = async (length: number, headers: Record<string, string> = {}) => {
    const connection = await openRaw(base)
    const head = toolRequest('set_memory', {}, { expect: '100-continue', 'content-length': String(length), ...headers })
    connection.send(head.replace(/\{\}$/, ''))
    return { connection, statuses: await connection.answers(1) }
  }
  const body = JSON.stringify({ key: 'k', value: 1 })
  const { connection, statuses } = await asks(body.length)
  t.same(statuses, [100], 'it is asked for')
  connection.send(body)
  t.same(await connection.answers(2), [100, 200])
  connection.socket.destroy()
  for (const [what, status, refused] of [
    ['too large', 413, await asks(9 * MIB)],
    ['a wrong key', 401, await asks(100, { 'x-api-key': 'wrong' })]
  ] as const) {
    t.same(refused.statuses, [status], `${what}: not asked for`)
    await refused.connection.closed()
  }
})
