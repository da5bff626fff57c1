import t from 'tap'
import { up } from '../../src/postgres/migrate.js'
import { followRevocations } from '../../src/agents/store/revocations.js'
import { revoke } from '../../src/agents/store/tokens.js'
import { environment, listen, runProgram, startApp } from '../helper.js'
import { openOwner } from '../support/database.js'
import { ownServer } from '../support/own-server.js'
import { post, until } from '../support/rest.js'

t.jobs = 4

t.test('a lost database is 503 and comes back by itself', async t => {
  const server = await ownServer(t)
  const program = await runProgram(t, ['serve'], environment(server.url))
  const { session_id } = await post(program.url, 'create_session', { purpose: 'outage' })
  t.match(await post(program.url, 'add_message', { session_id, content: 'before' }), { status: 200 })
  const { token } = await post(program.url, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  const bearer = { headers: { authorization: `Bearer ${token}` } }

  await server.stop()
  for (let i = 0; i < 20; i++) {
    const answer = await post(program.url, 'add_message', { session_id, content: 'during' })
    t.match(answer, {
      status: 503,
      success: false,
      code: 'DATABASE_UNAVAILABLE',
      recoverable: true,
      retry_after: Number
    })
  }
  t.match(await post(program.url, 'get_messages', { session_id }, bearer), {
    status: 503,
    code: 'DATABASE_UNAVAILABLE'
  })
  t.equal((await fetch(`${program.url}/health/live`)).status, 200, 'the process is alive')
  t.equal((await fetch(`${program.url}/health/ready`)).status, 503, 'but not ready')
  const metrics = await (await fetch(`${program.url}/metrics`)).text()
  t.match(metrics, /# TYPE mcp_active_agents gauge/)
  t.notMatch(metrics, /^mcp_active_(agents|sessions) /m, 'what could not be counted is not told as zero')
  t.match(metrics, /^database_pool_max 8$/m)

  await server.start()
  await until('ready again', async () => (await fetch(`${program.url}/health/ready`)).status === 200)
  t.match(await post(program.url, 'add_message', { session_id, content: 'after' }), { status: 200 })
  const { messages } = await post(program.url, 'get_messages', { session_id }, bearer)
  t.same(
    messages.map((message: { content: string }) => message.content),
    ['before', 'after'],
    'nothing refused was written'
  )
  t.equal(await program.stop(), 0)
})

t.test('a start waits for a database that comes up later', async t => {
  const server = await ownServer(t)
  await server.stop()
  const program = await runProgram(t, ['serve'], environment(server.url), { ready: /Waiting up to/ })
  await server.start()
  const ready = () => /ready at (\S+)/.exec(program.output())?.[1]
  await until('ready', () => ready() !== undefined)
  t.equal((await fetch(`${ready()}/health`)).status, 200)
})

t.test('a token revoked on one replica is refused on the others', async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const { token } = await post(url, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  const bearer = { headers: { authorization: `Bearer ${token}` } }
  t.match(await post(url, 'list_sessions', {}, bearer), { status: 200 })
  const other = await startApp(t, {}, app)
  const otherUrl = await listen(other)
  t.match(await post(otherUrl, 'revoke_token', {}, bearer), { status: 200, revoked: 1 })
  await until(
    'refused on the first replica',
    async () => (await post(url, 'list_sessions', {}, bearer)).code === 'TOKEN_REVOKED'
  )
})

t.test('while revocations cannot be followed the database is asked, and nobody is let in unasked', async t => {
  const server = await ownServer(t)
  const db = openOwner(t, server.url, { connect_timeout_ms: 2000, statement_timeout_ms: 2000 })
  await up(db)
  // Only the regular reading fails: it alone asks until when.
  let failing = false
  const watch = db.withPlugin({
    transformQuery({ node }) {
      if (failing && JSON.stringify(node).includes(' as until')) throw new Error('not now')
      return node
    },
    transformResult: async ({ result }) => result
  })
  const revocations = followRevocations(watch, 1000)
  t.teardown(() => {
    revocations.close()
  })
  const claims = {
    workspace: 'default',
    agent_id: 'a',
    agent_type: 't',
    permissions: [],
    jti: 'one',
    issued_at: new Date(),
    expires_at: new Date(Date.now() + 60_000)
  }
  await until('followed', async () => !(await revocations.has('one')))
  failing = true
  await new Promise(resolve => setTimeout(resolve, 2500))
  await revoke(db, claims)
  t.equal(await revocations.has('one'), true, 'asked')
  t.equal(await revocations.has('two'), false)
  await server.stop()
  await t.rejects(revocations.has('two'), 'neither memory nor database can tell')
})
