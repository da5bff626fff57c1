import t from 'tap'
import {
  RefusedError,
  SessionNotFoundError,
  SharedContext,
  SharedContextError,
  UnreachableError
} from '../../../clients/typescript/src/index.js'
import { listen, startApp } from '../../helper.js'
import { quietPort } from '../../support/ports.js'
import { until } from '../../support/until.js'
import { connectedTo, html } from './connected.js'
import type { Fault } from './relay.js'

/** Calls and repeats of the TypeScript client, over sockets, through a gateway with faults on demand. */

t.jobs = 5

const app = await startApp(t)
const url = await listen(app)
const connected = connectedTo(t, url)

t.test('many calls at once share one token', async t => {
  const { client, paths } = await connected()
  const sessions = await Promise.all([1, 2, 3, 4].map(n => client.createSession({ purpose: `number ${n}` })))
  t.equal(new Set(sessions.map(({ session_id }) => session_id)).size, 4)
  t.equal(paths().filter(path => path === 'authenticate_agent').length, 1)
  t.match(client.identity, { agent_id: 'ada', agent_type: 'tester', permissions: ['read', 'write'] })
})

t.test('what writes happens once, however often it is sent', async t => {
  const { client, relay } = await connected()
  const { session_id } = await client.createSession({ purpose: 'faults' })
  for (const fault of [{ kind: 'reset' }, { kind: 'lost' }, html] satisfies Fault[]) {
    relay.seen.length = 0
    relay.faults.push(fault)
    await client.addMessage({ session_id, content: fault.kind })
    t.equal(relay.seen.length, 2, fault.kind)
    t.equal(relay.seen[0]?.body, relay.seen[1]?.body, 'with the same key')
    t.match(relay.seen[0]?.body, /"idempotency_key":"[0-9a-f]{32}"/)
  }
  const { messages } = await client.getMessages({ session_id })
  t.same(
    messages.map(({ content }) => content),
    ['reset', 'lost', 'answer']
  )
})

t.test('a refusal says what it is, what it met and what to do', async t => {
  const { client, relay } = await connected()
  const error: unknown = await client.getSession({ session_id: `session_${'0'.repeat(16)}` }).catch((e: unknown) => e)
  t.ok(error instanceof SessionNotFoundError && error instanceof RefusedError && error instanceof SharedContextError)
  t.match(error, { code: 'SESSION_NOT_FOUND', status: 404, mayPass: false, name: 'SessionNotFoundError' })
  t.match(error, { suggestions: [/list_sessions/, /create_session/], requestId: String })
  t.equal(relay.seen.length, 2, 'it is not repeated')
  await t.rejects(client.getMessages({ session_id: 'x', limit: -1 }), { code: 'INVALID_INPUT', context: Object })
})

t.test('a signal ends a call, also between tries and while it waits', async t => {
  const { client, relay, paths } = await connected()
  const { session_id } = await client.createSession({ purpose: 'signals' })
  const reason = new Error('enough')
  const stop = new AbortController()
  const waiting = client.waitForMessages({ session_id, timeout_seconds: 30 }, { signal: stop.signal })
  await until(() => paths().at(-1) === 'wait_for_messages', 'the service is asked')
  stop.abort(reason)
  await t.rejects(waiting, reason)
  const again = new AbortController()
  relay.faults.push({ kind: 'answer', status: 503, body: '', headers: { 'retry-after': '30' } })
  const trying = client.listSessions({}, { signal: again.signal })
  await until(() => relay.faults.length === 0, 'the first try has failed')
  // Nothing tells when the client has read the answer and waits before the next try.
  await new Promise(resolve => setTimeout(resolve, 50))
  again.abort(reason)
  await t.rejects(trying, reason)
  await t.rejects(client.listSessions({}, { signal: again.signal }), reason, 'it is over already')
})

t.test('nobody there, and options that cannot be used', async t => {
  const nobody = `http://127.0.0.1:${await quietPort()}`
  const error: unknown = await new SharedContext({ url: nobody, tries: 1 }).listSessions().catch((e: unknown) => e)
  t.ok(error instanceof UnreachableError)
  t.match(error, { message: /cannot be reached: ECONNREFUSED/, mayPass: true })
  t.throws(() => new SharedContext({ url: 'localhost:1' }), /must begin with http/)
  t.throws(() => new SharedContext({ apiKey: 'k' }), /agentId/)
  t.throws(() => new SharedContext({ apiKey: 'k', token: 't', agentId: 'a' }), /not both/)
  t.throws(() => new SharedContext({ apiKey: 'two words', agentId: 'a' }), /ASCII/)
})

t.test('a key with each call, and a name that no header could hold as it is', async t => {
  const { client, paths } = await connected({ exchangeKey: false, agentId: '小明' })
  const { created_by } = await client.createSession({ purpose: 'named' })
  t.equal(created_by, '小明')
  t.same(paths(), ['create_session'])
})

t.test('lists come page after page', async t => {
  const { client, paths } = await connected({ agentId: 'lister' })
  const { tasks } = await client.createTasks({ tasks: Array.from({ length: 5 }, (_, n) => ({ title: `task ${n}` })) })
  const titles: string[] = []
  for await (const { title } of client.each('list_tasks', { limit: 2, created_by: 'lister' })) titles.push(title)
  t.same(titles.sort(), tasks.map(({ title }) => title).sort())
  t.equal(paths().filter(path => path === 'list_tasks').length, 3)
  for await (const page of client.pages('list_tasks', { limit: 2 })) {
    t.equal(page.count, 2)
    break
  }
})

t.test('a time limit may be longer than a timer can be, or none', async t => {
  for (const timeoutMs of [Infinity, 2 ** 31, Number.MAX_VALUE]) {
    const { client } = await connected({ timeoutMs, tries: 1 })
    const { session_id } = await client.createSession({ purpose: `within ${timeoutMs} ms` })
    // The answer takes longer than the 1 ms of a timer that overflows.
    t.match(await client.waitForMessages({ session_id, timeout_seconds: 1 }), { messages: [] })
  }
})
