import t from 'tap'
import { type As, call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { token } from '../support/samples.js'

/** mark_read: a cursor of each agent in each session, which never goes back. */

const app = await startApp(t)
const WRITER = { agent_id: 'writer' }
const READER = { agent_id: 'reader' }

async function sessionOf(messages: number): Promise<string> {
  const session_id = await newSession(app, WRITER)
  for (let i = 0; i < messages; i++) await ok(app, 'add_message', { session_id, content: `message ${i}` }, WRITER)
  return session_id
}

async function cursor(session_id: string, as: As = READER): Promise<number> {
  return (await ok(app, 'get_session', { session_id }, as)).session.last_read_seq as number
}

t.test('goes forward, never back', async t => {
  const session_id = await sessionOf(5)
  t.equal(await cursor(session_id), 0)
  t.match(await ok(app, 'mark_read', { session_id, up_to_seq: 3 }, READER), {
    session_id,
    last_read_seq: 3,
    unread: { messages: 2, mentions: 0 }
  })
  t.match(await ok(app, 'mark_read', { session_id, up_to_seq: 3 }, READER), {
    last_read_seq: 3,
    unread: { messages: 2 }
  })
  t.match(
    await ok(app, 'mark_read', { session_id, up_to_seq: 1 }, READER),
    { last_read_seq: 3, unread: { messages: 2 } },
    'an older seq changes nothing'
  )
  t.match(await ok(app, 'mark_read', { session_id, up_to_seq: 0 }, READER), { last_read_seq: 3 })
  t.match(
    await ok(app, 'mark_read', { session_id }, READER),
    { last_read_seq: 5, unread: { messages: 0, mentions: 0 } },
    'without one, all there is'
  )
  t.equal(await cursor(session_id), 5)
  t.equal((await ok(app, 'get_messages', { session_id, after_seq: 3 }, READER)).count, 2, 'reading is as it was')
})

t.test('is of one agent in one session', async t => {
  const [one, other] = [await sessionOf(2), await sessionOf(2)]
  await ok(app, 'mark_read', { session_id: one }, READER)
  t.same(
    [await cursor(one), await cursor(other), await cursor(one, WRITER), await cursor(one, { agent_id: 'READER' })],
    [2, 0, 0, 0]
  )
  t.equal(await cursor(one, { agent_id: 'reader', agent_type: 'another' }), 2, 'whatever its type')
})

t.test('of many at once the highest stays', async t => {
  const session_id = await sessionOf(20)
  const order = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) + 1)
  const answers = await Promise.all(order.map(up_to_seq => ok(app, 'mark_read', { session_id, up_to_seq }, READER)))
  answers.forEach((answer, i) => {
    t.ok(answer.last_read_seq >= (order[i] as number))
  })
  t.equal(await cursor(session_id), 20)
})

t.test('a seq beyond the end is refused', async t => {
  const session_id = await sessionOf(2)
  const answer = await call(app, 'mark_read', { session_id, up_to_seq: 3 }, READER)
  isFailure(t, answer, 'INVALID_INPUT')
  t.match(answer.body.context, { argument: 'up_to_seq', allowed: 'a whole number from 0 to 2' })
  t.equal(await cursor(session_id), 0)
  isFailure(t, await call(app, 'mark_read', { session_id: 'session_0123456789abcdef' }, READER), 'SESSION_NOT_FOUND')
  isFailure(t, await call(app, 'mark_read', { session_id, up_to_seq: -1 }, READER), 'INVALID_INPUT')
})

t.test('changes of the session count, whoever may see them', async t => {
  const session_id = await sessionOf(1)
  await ok(app, 'add_message', { session_id, content: 'for me alone', visibility: 'private' }, WRITER)
  await ok(app, 'update_session', { session_id, purpose: 'another' }, WRITER)
  t.match(
    await ok(app, 'mark_read', { session_id }, READER),
    { last_read_seq: 3 },
    "the session's head, as last_seq of get_messages"
  )
  t.equal((await ok(app, 'get_messages', { session_id }, READER)).last_seq, 3)
})

t.test('a closed session can still be read to its end', async t => {
  const session_id = await sessionOf(1)
  await ok(app, 'update_session', { session_id, is_active: false }, WRITER)
  t.match(await ok(app, 'mark_read', { session_id }, READER), { last_read_seq: 2, unread: { messages: 0 } })
})

t.test('needs read, not write', async t => {
  const session_id = await sessionOf(1)
  t.match(await ok(app, 'mark_read', { session_id }, { token: await token(app, 'reading-only', ['read']) }), {
    last_read_seq: 1
  })
  isFailure(
    t,
    await call(app, 'mark_read', { session_id }, { token: await token(app, 'writing-only', ['write']) }),
    'PERMISSION_DENIED'
  )
})

t.test('happens once with an idempotency_key', async t => {
  const session_id = await sessionOf(1)
  const first = await ok(app, 'mark_read', { session_id, idempotency_key: 'k' }, READER)
  await ok(app, 'add_message', { session_id, content: 'later' }, WRITER)
  t.same(
    await ok(app, 'mark_read', { session_id, idempotency_key: 'k' }, READER),
    first,
    'a repeat does not mark what came meanwhile'
  )
  t.equal(await cursor(session_id), 1)
})
