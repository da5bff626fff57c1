import t from 'tap'
import { environment, listen, runProgram, startApp } from '../helper.js'
import { ownServer } from '../support/own-server.js'
import { post, until } from '../support/rest.js'

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
    t.match(answer, { status: 503, success: false, code: 'DATABASE_UNAVAILABLE', recoverable: true, retry_after: Number })
  }
  t.match(await post(program.url, 'get_messages', { session_id }, bearer), { status: 503, code: 'DATABASE_UNAVAILABLE' })
  t.equal((await fetch(`${program.url}/health/live`)).status, 200, 'the process is alive')
  t.equal((await fetch(`${program.url}/health/ready`)).status, 503, 'but not ready')
  t.equal((await fetch(`${program.url}/metrics`)).status, 200, 'metrics are there')

  await server.start()
  await until('ready again', async () => (await fetch(`${program.url}/health/ready`)).status === 200)
  t.match(await post(program.url, 'add_message', { session_id, content: 'after' }), { status: 200 })
  const { messages } = await post(program.url, 'get_messages', { session_id }, bearer)
  t.same(messages.map((message: { content: string }) => message.content), ['before', 'after'], 'nothing refused was written')
  t.equal(await program.stop(), 0)
})

t.test('a start waits for a database that comes up later', async t => {
  const server = await ownServer(t)
  await server.stop()
  const starting = runProgram(t, ['serve'], environment(server.url))
  await new Promise(resolve => setTimeout(resolve, 1000))
  await server.start()
  const program = await starting
  t.equal((await fetch(`${program.url}/health`)).status, 200)
})

t.test('a revoked token is refused also while revocations cannot be read', async t => {
  const app = await startApp(t)
  const url = await listen(app)
  const { token } = await post(url, 'authenticate_agent', { agent_id: 'a', agent_type: 't' })
  const bearer = { headers: { authorization: `Bearer ${token}` } }
  t.match(await post(url, 'list_sessions', {}, bearer), { status: 200 })
  // Another replica revokes it: this one has to learn of it from the database.
  const other = await startApp(t, {}, app)
  const otherUrl = await listen(other)
  t.match(await post(otherUrl, 'revoke_token', {}, bearer), { status: 200, revoked: 1 })
  await until('refused on the first replica', async () => (await post(url, 'list_sessions', {}, bearer)).code === 'TOKEN_REVOKED', 5000)
})
