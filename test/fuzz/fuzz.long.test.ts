import { Agent, request } from 'node:http'
import fc from 'fast-check'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY } from '../helper.js'
import { saidBy } from '../mcp/clients.js'
import { startFleet } from '../replicas/fleet.js'
import { createDatabase } from '../support/cluster.js'
import { suggestionFaults } from '../support/failure.js'
import { post } from '../support/rest.js'
import { type BadRequest, badRequests } from './requests.js'

/**
 * Bad requests over real sockets to a process of its own: never a 500, never no answer, never one of another form than
 * a client can read, and no more memory afterwards than before. REQUESTS=… sends more of them (npm run fuzz: 50 000),
 * SEED=… the same again.
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const REQUESTS = Number(process.env.REQUESTS ?? 2000)
const LANES = 6
/** Longer than the default of any call that waits. */
const WITHIN_MS = 40_000
/** What the process holds after the bad requests, collected, to what it held when it had warmed up. */
const GROWTH_MAX = 1.5

const OTHER_METHODS = ['TRACE', 'PROPFIND', 'PURGE']

interface Got {
  status: number
  type: string
  body: string
}

// A machine may be slow.
t.setTimeout(600_000)
const database = await createDatabase()
t.teardown(() => database.drop())
// Who guesses so often is slowed down, which is tested elsewhere.
const fleet = await startFleet(
  t,
  database.url,
  {
    LOG_LEVEL: 'error',
    REQUEST_TIMEOUT_MS: '10000',
    RATE_LIMIT_FAILURES_PER_MINUTE: '0',
    RATE_LIMIT_INITIALIZE_PER_MINUTE: '0'
  },
  1
)
const base = new URL(fleet.urls[0] as string)
const agent = new Agent({ keepAlive: true, maxSockets: LANES })
t.teardown(() => {
  agent.destroy()
})

async function send(bad: BadRequest): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: base.hostname,
        port: base.port,
        method: bad.method,
        path: bad.path,
        headers: { ...bad.headers, 'content-length': bad.body.length }
      },
      response => {
        const type = response.headers['content-type'] ?? ''
        let body = ''
        const done = () => {
          resolve({ status: response.statusCode ?? 0, type, body })
        }
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            body += chunk
            // A stream would go on: what it began with is enough.
            if (type.startsWith('text/event-stream') && body.includes('\n\n')) {
              done()
              sent.destroy()
            }
          })
          .on('end', done)
      }
    )
    sent.on('error', error => {
      reject(new Error(`no answer: ${error.message}`))
    })
    sent.setTimeout(WITHIN_MS, () => {
      sent.destroy(new Error(`nothing within ${WITHIN_MS} ms`))
    })
    sent.end(bad.body)
  })
}

/** What is wrong with an answer. */
function faults(bad: BadRequest, { status, type, body }: Got): string[] {
  if (status >= 500) return [`status ${status}: ${body}`]
  if (bad.method === 'HEAD' || status === 202 || status === 204)
    return body === '' ? [] : ['a body where none should be']
  // Methods that no route has get the same refusal at every address; so does OPTIONS, which only browsers send.
  if (bad.front === 'rest' || OTHER_METHODS.includes(bad.method) || bad.method === 'OPTIONS')
    return restFaults(status, body)
  if (type.startsWith('text/event-stream'))
    return body
      .split('\n')
      .filter(line => line.startsWith('data: '))
      .flatMap(line => rpcFaults(parsed(line.slice(6))))
  return rpcFaults(parsed(body))
}

function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function restFaults(status: number, text: string): string[] {
  const body = parsed(text)
  if (typeof body?.success !== 'boolean') return [`an answer without success: ${text.slice(0, 200)}`]
  if (body.success !== (status === 200)) return [`success ${String(body.success)} with status ${status}`]
  return body.success === true ? [] : failureFaults(body)
}

function failureFaults(body: any): string[] {
  return [
    ...['error', 'code', 'severity', 'timestamp', 'request_id']
      .filter(field => typeof body[field] !== 'string')
      .map(field => `${field} is missing`),
    ...suggestionFaults(body.suggestions)
  ]
}

function rpcFaults(message: any): string[] {
  if (Array.isArray(message)) return message.length === 0 ? ['an empty batch'] : message.flatMap(rpcFaults)
  if (message?.jsonrpc !== '2.0') return [`not JSON-RPC: ${JSON.stringify(message)?.slice(0, 200)}`]
  const { result, error, id, method } = message
  if (method !== undefined) return []
  if ((result === undefined) === (error === undefined)) return ['neither result nor error, or both']
  if (id !== null && typeof id !== 'string' && typeof id !== 'number' && !(id === undefined && error !== undefined))
    return ['no id']
  if (error !== undefined)
    return Number.isInteger(error.code) && error.code !== -32603 && typeof error.message === 'string'
      ? []
      : [`the error ${JSON.stringify(error)}`]
  if (result.isError === true)
    return result.structuredContent !== undefined
      ? ['a failed call with structured content']
      : failureFaults(saidBy(result))
  return []
}

t.test(`${REQUESTS} bad requests, SEED=${SEED}`, { timeout: 900_000 }, async t => {
  t.comment(`SEED=${SEED}`)
  const AS = { 'x-api-key': API_KEY, 'x-agent-id': 'fuzz' }
  const session_ids: string[] = []
  const message_ids: number[] = []
  for (let i = 0; i < 5; i++) {
    const { session_id } = await post(base.origin, 'create_session', { purpose: 'to be spoiled' })
    session_ids.push(session_id as string)
    message_ids.push(
      (await post(base.origin, 'add_message', { session_id, content: 'a message' })).message_id as number
    )
  }
  const document = (await (await fetch(`${base.origin}/openapi.json`)).json()) as never
  const requests = badRequests(document, [AS, AS, AS, { 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'admin' }, {}], {
    session_id: session_ids,
    message_id: message_ids,
    parent_message_id: message_ids,
    api_key: [API_KEY, 'wrong-key'],
    timeout_seconds: [0],
    wait_seconds: [0],
    idempotency_key: ['a', 'b', 'c'],
    key: ['k', 'l']
  })

  const statuses = new Map<string, number>()
  let sent = 0
  const storm = async (count: number, seed: number) =>
    Promise.all(
      Array.from({ length: LANES }, async (_, lane) =>
        fc.check(
          fc.asyncProperty(requests, async bad => {
            const got = await send(bad)
            sent++
            const kind = `${bad.front} ${got.status}`
            statuses.set(kind, (statuses.get(kind) ?? 0) + 1)
            const wrong = faults(bad, got)
            if (wrong.length > 0)
              throw new Error(
                `${wrong.join('; ')}\n${bad.method} ${bad.path} ${JSON.stringify(bad.headers)}\n` +
                  `${bad.body.toString().slice(0, 1000)}`
              )
          }),
          {
            seed: seed + lane,
            numRuns: Math.ceil(count / LANES),
            interruptAfterTimeLimit: 840_000,
            markInterruptAsFailure: true
          }
        )
      )
    )

  const failures = (checks: Awaited<ReturnType<typeof storm>>) =>
    checks.filter(check => check.failed).map(check => `SEED=${SEED}: ${String(check.errorInstance)}`)
  t.same(failures(await storm(Math.min(1000, REQUESTS / 2), SEED)), [], 'while it warms up')
  const before = await fleet.level(0)
  t.same(
    failures(await storm(REQUESTS, SEED + 1000)),
    [],
    'every answer can be read, and none is a fault of the server'
  )
  await post(base.origin, 'list_sessions', {})
  const after = await fleet.level(0)
  t.ok(
    after.heap < before.heap * GROWTH_MAX,
    `${sent} requests; the heap went from ${Math.round(before.heap / 1e6)} to ${Math.round(after.heap / 1e6)} MB`
  )
  t.comment(
    [...statuses]
      .sort()
      .map(([kind, count]) => `${kind}: ${count}`)
      .join(', ')
  )
  t.ok(
    ['rest 200', 'rest 400', 'rest 401', 'rest 403', 'rest 404', 'rest 405', 'rest 415', 'mcp 200', 'mcp 400'].every(
      kind => statuses.has(kind)
    ),
    'bad in every way'
  )
  t.match(await post(base.origin, 'create_session', { purpose: 'still here' }), { status: 200 })
  t.notMatch(fleet.logged(0), /"level":(50|60)/, 'nothing was logged as a fault of the server')
})
