import { request as httpRequest } from 'node:http'
import t, { type Test } from 'tap'
import { API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { connectLegacy, connectModern, eventually, type Headers, openSession, post } from './clients.js'

/** Calls that wait, over MCP: progress, cancellation, and clients that go away. */

const here = await startApp(t)
const there = await startApp(t, {}, here)
const base = await listen(here)
const KEY: Headers = { 'x-api-key': API_KEY, 'x-agent-id': 'waiter' }
const waiting = async (count: number) =>
  eventually(
    async () => here.server.waiters.taken,
    taken => taken === count
  )

/** As much of both SDKs' clients as is used here. */
interface Caller {
  callTool: (call: { name: string; arguments: unknown }, ...rest: unknown[]) => Promise<any>
  close: () => Promise<void>
}

const clients: Record<string, (t: Test) => Promise<(name: string, args: unknown, options: object) => Promise<any>>> = {
  async 'the SDK of 2025'(t) {
    const { client } = await connectLegacy(t, `${base}/mcp`, KEY)
    return async (name, args, options) =>
      (client as unknown as Caller).callTool({ name, arguments: args }, undefined, options)
  },
  async 'the SDK of 2026'(t) {
    const { client } = await connectModern(t, `${base}/mcp`, KEY)
    return async (name, args, options) => (client as unknown as Caller).callTool({ name, arguments: args }, options)
  }
}

for (const [name, connect] of Object.entries(clients)) {
  await t.test(name, async t => {
    const call = await connect(t)
    const session_id = await newSession(here)

    await t.test('is told of progress while it waits, then answered', async t => {
      const told: Array<{ progress: number; total?: number }> = []
      const answer = call(
        'wait_for_messages',
        { session_id, timeout_seconds: 20 },
        {
          onprogress: (progress: { progress: number; total?: number }) => {
            told.push(progress)
          }
        }
      )
      await eventually(
        async () => told.length,
        length => length >= 2
      )
      await ok(there, 'add_message', { session_id, content: 'here it is' })
      t.match(await answer, {
        structuredContent: { success: true, timed_out: false, messages: [{ content: 'here it is' }] }
      })
      t.ok(told.length >= 2)
      t.same(
        told.map(({ progress }) => progress),
        told.map(({ progress }) => progress).sort((a, b) => a - b),
        'it rises'
      )
      t.match(told[0], { total: 20 })
      await waiting(0)
    })

    await t.test('without asking for progress it is answered as ever', async t => {
      t.match(await call('wait_for_messages', { session_id, timeout_seconds: 1 }, {}), {
        structuredContent: { success: true, timed_out: true }
      })
    })

    await t.test('a cancelled call frees what it held', async t => {
      const aborter = new AbortController()
      const answer = call('wait_for_messages', { session_id, timeout_seconds: 25 }, { signal: aborter.signal })
      answer.catch(() => {})
      t.equal(await waiting(1), 1)
      const started = Date.now()
      aborter.abort()
      await t.rejects(answer)
      t.equal(await waiting(0), 0)
      t.ok(Date.now() - started < 15_000, 'long before its time is up')
    })
  })
}

const wait = (session_id: string, id: string | number = 7, meta?: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: {
    name: 'wait_for_messages',
    arguments: { session_id, timeout_seconds: 25 },
    ...(meta !== undefined && { _meta: meta })
  }
})

t.test('a cancellation may come to another replica than the call it is about', async t => {
  const session_id = await newSession(here)
  const session = { ...(await openSession(here)), ...KEY }
  const other = { ...(await openSession(here)), ...KEY }
  const cancel = async (headers: Headers, requestId: unknown) =>
    post(there, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }, headers)
  for (const id of [7, 'seven', 7]) {
    const answer = post(here, wait(session_id, id), session)
    await waiting(1)
    t.equal((await cancel(other, id)).status, 202)
    t.equal((await cancel(session, 8)).status, 202)
    t.equal((await cancel(session, {})).status, 202)
    await new Promise(resolve => {
      setTimeout(resolve, 500)
    })
    t.equal(await waiting(1), 1, "another session's, and another request's, are not it")
    const started = Date.now()
    t.equal((await cancel(session, id)).status, 202)
    t.match(await answer, { status: 202, body: undefined }, 'what was cancelled is not answered')
    t.ok(Date.now() - started < 15_000)
    await waiting(0)
  }
})

t.test('a client that goes away while it waits frees what it held', async t => {
  const session_id = await newSession(here)
  const requests = [undefined, { progressToken: 'p' }].map(meta => {
    const sent = httpRequest(`${base}/mcp`, {
      method: 'POST',
      headers: { ...KEY, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    })
    sent.on('error', () => {})
    sent.end(JSON.stringify(wait(session_id, 1, meta)))
    return sent
  })
  t.equal(await waiting(2), 2)
  // One of them is told of progress by then.
  await new Promise(resolve => {
    setTimeout(resolve, 1500)
  })
  const started = Date.now()
  for (const [i, sent] of requests.entries()) {
    sent.destroy()
    t.equal(await waiting(1 - i), 1 - i)
  }
  t.ok(Date.now() - started < 15_000, 'long before its time is up')
})

t.test('an event stream only where it is asked for and there is something to tell', async t => {
  const session_id = await newSession(here)
  const ask = async (accept: string, message: unknown) => {
    const response = await fetch(`${base}/mcp`, {
      method: 'POST',
      headers: { ...KEY, 'content-type': 'application/json', accept },
      body: JSON.stringify(message)
    })
    return { type: response.headers.get('content-type'), text: await response.text() }
  }
  const both = 'application/json, text/event-stream'
  const quick = (id: number) => ({
    ...wait(session_id, id, { progressToken: 'p' }),
    params: { name: 'list_sessions', arguments: {}, _meta: { progressToken: 'p' } }
  })
  t.match((await ask(both, quick(1))).type, 'application/json')
  const short = { ...wait(session_id, 2, { progressToken: 'p' }) }
  Object.assign(short.params.arguments, { timeout_seconds: 3 })
  const [plain, { type, text }] = await Promise.all([ask('application/json', short), ask(both, short)])
  t.match(plain.type, 'application/json')
  t.match(type, 'text/event-stream')
  t.match(text, /"method":"notifications\/progress","params":\{"progressToken":"p"/)
  t.match(text, /"id":2,?.*"timed_out":true|"timed_out":true.*"id":2/)
})

t.test('stopping answers those who wait', async t => {
  const app = await startApp(t, {}, here)
  const session_id = await newSession(here)
  const answer = post(app, wait(session_id), KEY)
  await eventually(
    async () => app.server.waiters.taken,
    taken => taken === 1
  )
  app.stop()
  t.match((await answer).body, { result: { structuredContent: { success: true, timed_out: true, last_seq: Number } } })
})
