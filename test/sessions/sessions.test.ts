import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** create_session, get_session, update_session. */

const app = await startApp(t)
const CREATOR = { agent_id: 'creator' }
const OTHER = { agent_id: 'other' }
const ADMIN = { agent_id: 'boss', admin: true }

t.test('a session is as it was created', async t => {
  const created = await ok(
    app,
    'create_session',
    { purpose: '  Review 审查 🚀 "quotes" \n next line\u0007 ', metadata: { nested: { list: [1, null, 'x'] } } },
    CREATOR
  )
  t.match(created, {
    session_id: /^session_[0-9a-f]{16}$/,
    purpose: 'Review 审查 🚀 "quotes" \n next line',
    created_by: 'creator',
    metadata: { nested: { list: [1, null, 'x'] } }
  })
  const { session, messages, message_count } = await ok(app, 'get_session', { session_id: created.session_id }, OTHER)
  t.same(session, {
    id: created.session_id,
    key: null,
    purpose: created.purpose,
    metadata: created.metadata,
    created_by: 'creator',
    created_at: created.created_at,
    updated_at: session.updated_at,
    is_active: true,
    archived_at: null,
    message_count: 0,
    participants: [],
    last_activity: created.created_at,
    last_read_seq: 0,
    unread: { messages: 0, mentions: 0 },
    present: session.present
  })
  t.same([messages, message_count], [[], 0])
  t.same((await ok(app, 'create_session', { purpose: 'no metadata' })).metadata, {})
})

t.test('a session with messages', async t => {
  const session_id = await newSession(app, CREATOR)
  for (const [agent_id, content] of [
    ['zoe', 'one'],
    ['adam', 'two'],
    ['zoe', 'three']
  ] as const)
    await ok(app, 'add_message', { session_id, content }, { agent_id, agent_type: 'kind' })
  const { session, messages, message_count } = await ok(app, 'get_session', { session_id, message_limit: 2 })
  t.same(
    messages.map((message: any) => message.content),
    ['three', 'two'],
    'newest first'
  )
  t.match(messages[0], {
    session_id,
    seq: 3,
    sender: 'zoe',
    sender_type: 'kind',
    visibility: 'public',
    metadata: {},
    parent_message_id: null
  })
  t.same([session.message_count, message_count], [3, 3])
  t.same(session.participants, ['adam', 'zoe'])
  t.equal(session.last_activity, messages[0].timestamp)
  t.same((await ok(app, 'get_session', { session_id, message_limit: 0 })).messages, [])
})

t.test('an unknown session', async t => {
  for (const session_id of [
    'session_0123456789abcdef',
    'nonsense',
    "'; drop table sessions --",
    'SESSION_0123456789ABCDEF'
  ]) {
    isFailure(t, await call(app, 'get_session', { session_id }), 'SESSION_NOT_FOUND', session_id)
    isFailure(t, await call(app, 'add_message', { session_id, content: 'x' }), 'SESSION_NOT_FOUND')
    isFailure(t, await call(app, 'get_messages', { session_id }), 'SESSION_NOT_FOUND')
    isFailure(t, await call(app, 'search_context', { session_id, query: 'x' }), 'SESSION_NOT_FOUND')
    isFailure(t, await call(app, 'set_memory', { session_id, key: 'k', value: 1 }), 'SESSION_NOT_FOUND')
    isFailure(t, await call(app, 'update_session', { session_id, is_active: false }), 'SESSION_NOT_FOUND')
  }
  for (const tool of ['get_session', 'get_messages', 'add_message'])
    isFailure(
      t,
      await call(app, tool, { session_id: '', ...(tool === 'add_message' && { content: 'x' }) }),
      'SESSION_NOT_FOUND'
    )
  t.match(await ok(app, 'search_context', { session_id: '', query: 'x' }), { results: [] }, 'all sessions')
  t.match(await ok(app, 'set_memory', { session_id: '', key: 'k', value: 1 }), { scope: 'global' })
  isFailure(
    t,
    await call(app, 'add_message', { session_id: null, content: 'x' }),
    'INVALID_INPUT',
    'null where a session is needed'
  )
})

t.test('its creator and admins change a session', async t => {
  const { session_id, created_at } = await ok(
    app,
    'create_session',
    { purpose: 'before', metadata: { a: 1, b: 2 } },
    CREATOR
  )
  const { session } = await ok(app, 'update_session', { session_id, purpose: ' after ' }, CREATOR)
  t.match(
    session,
    { purpose: 'after', metadata: { a: 1, b: 2 }, is_active: true, created_at },
    'what was not given stays'
  )
  t.ok(session.updated_at >= created_at)
  t.same(
    (await ok(app, 'update_session', { session_id, metadata: { c: 3 } }, ADMIN)).session.metadata,
    { c: 3 },
    'metadata is replaced as a whole'
  )
  t.same((await ok(app, 'update_session', { session_id, metadata: {} }, CREATOR)).session.metadata, {})
  for (const change of [{ purpose: 'mine' }, { is_active: false }, { metadata: {} }])
    isFailure(t, await call(app, 'update_session', { session_id, ...change }, OTHER), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'update_session', { session_id }, CREATOR), 'INVALID_INPUT', 'nothing to change')
  isFailure(t, await call(app, 'update_session', { session_id, purpose: ' ' }, CREATOR), 'INVALID_INPUT')
  t.match((await ok(app, 'get_session', { session_id })).session, { purpose: 'after', is_active: true })
})

t.test('a closed session is read, not written', async t => {
  const session_id = await newSession(app, CREATOR)
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'before the end' }, OTHER)
  await ok(app, 'set_memory', { session_id, key: 'k', value: 'v' }, OTHER)
  t.match((await ok(app, 'update_session', { session_id, is_active: false }, CREATOR)).session, { is_active: false })

  for (const [tool, args] of [
    ['add_message', { content: 'after' }],
    ['add_messages', { messages: [{ content: 'after' }] }],
    ['set_memory', { key: 'k', value: 'w' }]
  ] as const)
    isFailure(t, await call(app, tool, { session_id, ...args }, OTHER), 'SESSION_CLOSED', tool)
  isFailure(t, await call(app, 'update_session', { session_id, purpose: 'renamed' }, CREATOR), 'SESSION_CLOSED')
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: 'after' }, ADMIN),
    'SESSION_CLOSED',
    'not even by an admin'
  )

  t.equal((await ok(app, 'get_messages', { session_id })).count, 1)
  t.equal((await ok(app, 'get_session', { session_id })).message_count, 1)
  t.equal((await ok(app, 'search_context', { session_id, query: 'before the end' })).message_count, 1)
  t.equal((await ok(app, 'get_memory', { session_id, key: 'k' }, OTHER)).value, 'v')
  t.match(
    await ok(app, 'set_message_visibility', { message_id, visibility: 'private' }, OTHER),
    { message: { visibility: 'private' } },
    'a message can still be taken back'
  )

  await ok(app, 'update_session', { session_id, is_active: true, purpose: 'reopened' }, CREATOR)
  t.match(await ok(app, 'add_message', { session_id, content: 'again' }, OTHER), { success: true })
})

t.test('changes of the session take a place in its order', async t => {
  const session_id = await newSession(app, CREATOR)
  const head = async () => (await ok(app, 'get_messages', { session_id })).last_seq
  t.equal(await head(), 0)
  await ok(app, 'add_message', { session_id, content: 'one' })
  t.equal(await head(), 1)
  await ok(app, 'update_session', { session_id, purpose: 'changed' }, CREATOR)
  t.equal(await head(), 2)
  t.equal((await ok(app, 'add_message', { session_id, content: 'two' })).seq, 3)
})
