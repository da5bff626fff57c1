import t from 'tap'
import { SharedContext } from '../../../clients/typescript/src/index.js'
import { API_KEY, listen, startApp } from '../../helper.js'
import { until } from '../../support/until.js'
import { connectedTo, html } from './connected.js'

/** How the TypeScript client replaces tokens in time, and how long it waits. */

t.jobs = 5

const app = await startApp(t)
const url = await listen(app)
const connected = connectedTo(t, url)

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
        expires_in: 10
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
    expires_in: 10
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
