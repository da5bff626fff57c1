import { randomUUID } from 'node:crypto'
import t from 'tap'
import { sessionTopic } from '../../src/kernel/events.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

const app = await startApp(t)
const replica = await startApp(t, {}, { url: app.url })

async function count(session_id: string): Promise<number> {
  return (await ok(app, 'get_messages', { session_id, limit: 1 })).total_count
}

t.test('twenty at once, on two replicas, are one', async t => {
  const session_id = await newSession(app)
  const args = { session_id, content: 'once', metadata: { b: 1, a: 2 }, idempotency_key: randomUUID() }
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      ok(i % 2 === 0 ? app : replica, 'add_message', i % 3 === 0 ? { ...args, metadata: { a: 2, b: 1 } } : args)
    )
  )
  t.equal(new Set(answers.map(answer => answer.message_id)).size, 1)
  for (const answer of answers) t.same(answer, answers[0])
  t.equal(await count(session_id), 1)
})

t.test('many keys at once are many', async t => {
  const session_id = await newSession(app)
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      ok(app, 'add_messages', { session_id, messages: [{ content: 'a' }], idempotency_key: `key ${i % 20}` })
    )
  )
  t.equal(await count(session_id), 20)
})

t.test("a key is one agent's, whatever its type or session", async t => {
  const session_id = await newSession(app)
  const args = { session_id, content: 'mine', idempotency_key: 'shared words 🔑' }
  const first = await ok(app, 'add_message', args, { agent_id: 'ann' })
  const second = await ok(app, 'add_message', args, { agent_id: 'bob' })
  t.not(first.message_id, second.message_id)
  t.same(await ok(replica, 'add_message', args, { agent_id: 'ann' }), first)
  isFailure(
    t,
    await call(app, 'add_message', { ...args, session_id: await newSession(app) }, { agent_id: 'ann' }),
    'IDEMPOTENCY_CONFLICT',
    'another session is another request'
  )
  isFailure(
    t,
    await call(
      app,
      'add_messages',
      { session_id, messages: [{ content: 'mine' }], idempotency_key: args.idempotency_key },
      { agent_id: 'ann' }
    ),
    'IDEMPOTENCY_CONFLICT',
    'another tool too'
  )
  t.same(
    await ok(app, 'add_message', { ...args, visibility: 'public' }, { agent_id: 'ann' }),
    first,
    'a default that is written out makes no other request'
  )
})

t.test('what failed may be tried again', async t => {
  const owner = { agent_id: 'owner' }
  const session_id = await newSession(app, owner)
  await ok(app, 'update_session', { session_id, is_active: false }, owner)
  const args = { session_id, content: 'late', idempotency_key: randomUUID() }
  isFailure(t, await call(app, 'add_message', args), 'SESSION_CLOSED')
  await ok(app, 'update_session', { session_id, is_active: true }, owner)
  t.match(await ok(app, 'add_message', args), { success: true })
  await ok(app, 'update_session', { session_id, is_active: false }, owner)
  t.match(await ok(app, 'add_message', args), { success: true }, 'and what was done stays done')
  t.equal(await count(session_id), 1)
})

t.test('one audit row for one deed', async t => {
  const session_id = await newSession(app)
  const args = { session_id, content: 'once', idempotency_key: randomUUID() }
  for (let i = 0; i < 3; i++) await ok(app, 'add_message', args)
  t.equal((await ok(app, 'get_audit_log', { session_id, event_type: 'message_added' }, { admin: true })).count, 1)
})

t.test('a repetition changes nothing, and so wakes nobody', async t => {
  const session_id = await newSession(app)
  const tools: Array<[tool: string, args: Record<string, unknown>]> = [
    ['add_message', { session_id, content: 'x' }],
    ['add_messages', { session_id, messages: [{ content: 'x' }] }],
    ['update_session', { session_id, purpose: 'x' }]
  ]
  for (const [tool, args] of tools) {
    let hints = 0
    const end = app.server.events.subscribe(sessionTopic('default', session_id), version => {
      if (version === undefined) hints++
    })
    const idempotency_key = `once ${tool}`
    const first = await ok(app, tool, { ...args, idempotency_key })
    t.same(await ok(app, tool, { ...args, idempotency_key }), first)
    await new Promise(resolve => setTimeout(resolve, 50))
    t.equal(hints, 1, tool)
    end()
  }
})

t.test('a key is forgotten after 24 hours', async t => {
  const session_id = await newSession(app)
  const args = { session_id, content: 'again', idempotency_key: randomUUID() }
  const first = await ok(app, 'add_message', args)
  await app.database.db
    .updateTable('idempotency_keys')
    .set({ created_at: new Date(Date.now() - 25 * 3_600_000).toISOString() })
    .where('key', '=', args.idempotency_key)
    .execute()
  t.not((await ok(app, 'add_message', args)).message_id, first.message_id)
  t.equal(await count(session_id), 2)
})

t.test('the header', async t => {
  const session_id = await newSession(app)
  const as = { headers: { 'idempotency-key': 'from the header' } }
  const first = await ok(app, 'add_message', { session_id, content: 'x' }, as)
  t.same(await ok(app, 'add_message', { session_id, content: 'x' }, as), first)
  t.same(await ok(app, 'add_message', { session_id, content: 'x', idempotency_key: 'from the header' }), first)
  t.not(
    (await ok(app, 'add_message', { session_id, content: 'x', idempotency_key: 'from the body' }, as)).message_id,
    first.message_id,
    'the body comes first'
  )
  t.match(await ok(app, 'get_messages', { session_id }, as), { success: true }, 'tools that do not take one ignore it')
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: 'x' }, { headers: { 'idempotency-key': 'x'.repeat(256) } }),
    'INVALID_INPUT'
  )
  isFailure(t, await call(app, 'add_message', { session_id, content: 'x', idempotency_key: '' }), 'INVALID_INPUT')
})

t.test('a first answer is not for the same name with other rights', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app, { agent_id: 'dave' })
  const { message_id } = await ok(
    app,
    'add_message',
    { session_id, content: 'for dave alone', visibility: 'private' },
    { agent_id: 'dave' }
  )
  const change = { message_id, visibility: 'private', idempotency_key: 'k' }
  t.match(await ok(app, 'set_message_visibility', change, { agent_id: 'boss', admin: true }), {
    message: { content: 'for dave alone' }
  })
  const { status, body } = await call(app, 'set_message_visibility', change, { agent_id: 'boss' })
  t.match({ status, body }, { status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
  t.notMatch(JSON.stringify(body), /dave/)
})
