import t from 'tap'
import {
  RefusedError,
  SessionNotFoundError,
  SharedContext,
  SharedContextError,
  UnreachableError
} from '../../../clients/typescript/src/index.js'
import { API_KEY, listen, startApp } from '../../helper.js'
import { quietPort } from '../../support/ports.js'
import { until } from '../../support/until.js'
import { type Fault, startRelay } from './relay.js'

/** Calls, tokens and repeats of the TypeScript client, over sockets, through a gateway with faults on demand. */

t.jobs = 5

const app = await startApp(t)
const url = await listen(app)
const html: Fault = {
  kind: 'answer',
  status: 502,
  body: '<h1>Bad gateway</h1>',
  headers: { 'content-type': 'text/html' }
}

async function connected(more: ConstructorParameters<typeof SharedContext>[0] = {}) {
  const relay = await startRelay(t, url)
  const client = new SharedContext({ url: relay.url, apiKey: API_KEY, agentId: 'ada', agentType: 'tester', ...more })
  return { relay, client, paths: () => relay.seen.map(({ path }) => path.replace('/mcp/tool/', '')) }
}

t.test('many calls at once share one token', async t => {
  const { client, paths } = await connected()
  const sessions = await Promise.all([1, 2, 3, 4].map(n => client.createSession({ purpose: `number ${n}` })))
  t.equal(new Set(sessions.map(({ session_id }) => session_id)).size, 4)
  t.equal(paths().filter(path => path === 'authenticate_agent').length, 1)
  t.match(client.identity, { agent_id: 'ada', agent_type: 'tester', permissions: ['read', 'write'] })
})

t.test('a token is replaced before it ends, and once when it is refused, for all calls at once', async t => {
  const { client, relay, paths } = await connected()
  await client.listSessions()
  const { body } = await app.server.inject({
    method: 'POST',
    url: '/mcp/tool/revoke_token',
    headers: { authorization: `Bearer ${client.identity?.token ?? ''}` }
  })
  t.match(JSON.parse(body), { revoked: 1 })
  const old = new SharedContext({ url, token: client.identity?.token })
  await until(
    () =>
      old.listSessions().then(
        () => false,
        () => true
      ),
    'the token is refused'
  )
  relay.seen.length = 0
  await Promise.all([client.listSessions(), client.listSessions(), client.listTasks()])
  t.equal(paths().filter(path => path === 'authenticate_agent').length, 1, 'after a refusal')

  const short = new SharedContext({
    url,
    token: async () => {
      fetched++
      const answer = await new SharedContext({ url, apiKey: API_KEY, agentId: 'ada' }).authenticateAgent({
        agent_id: 'ada',
        agent_type: 'tester',
        api_key: API_KEY,
        expires_in: 4
      })
      return answer.token
    }
  })
  let fetched = 0
  await short.listSessions()
  await short.listSessions()
  t.equal(fetched, 1, 'while it is good')
  await until(async () => (await short.listSessions()).count >= 0 && fetched === 2, 'a call gets another one in time')
})

t.test('a ready token is used as it is, and refreshed only where that was asked for', async t => {
  const issuer = new SharedContext({ url, apiKey: API_KEY, agentId: 'ada', agentType: 'tester' })
  await issuer.listSessions()
  const token = issuer.identity?.token ?? ''
  t.match(await new SharedContext({ url, token }).listSessions(), { count: Number })
  const told: string[] = []
  const client = new SharedContext({ url, token, refreshToken: true, onToken: state => told.push(state.agent_id) })
  await client.listSessions()
  t.same(told, [], 'it has long to live')
  client.close()

  const { token: short } = await issuer.authenticateAgent({
    agent_id: 'ada',
    agent_type: 'tester',
    api_key: API_KEY,
    expires_in: 3
  })
  const renewing = new SharedContext({
    url,
    token: short,
    refreshToken: true,
    onToken: state => told.push(state.token)
  })
  await until(() => told.length > 0, 'it is renewed, though nobody calls')
  t.not(told[0], short)
  renewing.close()
  await t.rejects(new SharedContext({ url, token: 'none' }).listSessions(), { code: 'INVALID_TOKEN' })
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

t.test('it waits as long as it is told, and no longer than it may', async t => {
  const { client, relay } = await connected({ tries: 2 })
  await client.listSessions()
  relay.faults.push({ kind: 'answer', status: 503, body: 'busy', headers: { 'retry-after': '1' } })
  const began = performance.now()
  await client.listSessions()
  t.ok(performance.now() - began >= 1000, 'a gateway says how long')
  relay.faults.push(html, html)
  await t.rejects(client.listSessions(), { name: 'UnreachableError', code: 'UNREACHABLE', status: 502, mayPass: true })
  relay.faults.push({ kind: 'silent' }, { kind: 'silent' })
  await t.rejects(client.listSessions({}, { timeoutMs: 50 }), { code: 'UNREACHABLE', message: /within 50 ms/ })
  relay.seen.length = 0
  relay.faults.push({ kind: 'answer', status: 404, body: 'Not here' })
  await t.rejects(client.listSessions(), { code: 'UNREACHABLE', status: 404, mayPass: false })
  relay.faults.push({ kind: 'answer', status: 301, body: '', headers: { location: 'http://127.0.0.1:9/' } })
  await t.rejects(client.listSessions(), { message: /redirects/ }, 'nobody else gets the key')
  t.equal(relay.seen.length, 2, 'neither was repeated')
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
  const { client, relay } = await connected()
  const { session_id } = await client.createSession({ purpose: 'signals' })
  const reason = new Error('enough')
  const stop = new AbortController()
  const waiting = client.waitForMessages({ session_id, timeout_seconds: 30 }, { signal: stop.signal })
  setTimeout(() => {
    stop.abort(reason)
  }, 50)
  await t.rejects(waiting, reason)
  const again = new AbortController()
  relay.faults.push({ kind: 'answer', status: 503, body: '', headers: { 'retry-after': '30' } })
  const trying = client.listSessions({}, { signal: again.signal })
  setTimeout(() => {
    again.abort(reason)
  }, 50)
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
