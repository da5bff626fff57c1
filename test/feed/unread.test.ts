import t from 'tap'
import { type Visibility, VISIBILITIES } from '../../src/kernel/visibilities.js'
import { type As, newSession, ok, startApp } from '../helper.js'
import { unreadOf } from './unread-of.js'

/** What is unread, in get_session and list_sessions. */

const app = await startApp(t)
const ME: As = { agent_id: 'worker-1', agent_type: 'red' }
const HOST: As = { agent_id: 'host', agent_type: 'blue' }

const unread = (session_id: string, as: As = ME) => unreadOf(app, session_id, as)

async function write(
  session_id: string,
  content: string,
  as: As = HOST,
  visibility: Visibility = 'public'
): Promise<number> {
  const to = visibility === 'direct' && { to: ['worker-1'] }
  return (await ok(app, 'add_message', { session_id, content, visibility, ...to }, as)).message_id as number
}

t.test('everything by others, then what came after the cursor', async t => {
  const session_id = await newSession(app, HOST)
  t.same(await unread(session_id), { messages: 0, mentions: 0 })
  await write(session_id, 'one')
  await write(session_id, 'my own @worker-1', ME)
  await write(session_id, 'two')
  t.same(await unread(session_id), { messages: 2, mentions: 0 }, "not one's own")
  t.same(await unread(session_id, HOST), { messages: 1, mentions: 0 })
  await ok(app, 'mark_read', { session_id, up_to_seq: 1 }, ME)
  t.same(await unread(session_id), { messages: 1, mentions: 0 })
  await ok(app, 'mark_read', { session_id }, ME)
  t.same(await unread(session_id), { messages: 0, mentions: 0 })
  await ok(app, 'update_session', { session_id, purpose: 'another' }, HOST)
  await write(session_id, 'mine', ME)
  t.same(await unread(session_id), { messages: 0, mentions: 0 }, 'a change of the session is no message')
  await write(session_id, 'three')
  t.same(await unread(session_id), { messages: 1, mentions: 0 })
  t.same(
    (await ok(app, 'update_session', { session_id, purpose: 'a third' }, HOST)).session.unread,
    { messages: 2, mentions: 0 },
    'in the session that update_session answers with'
  )
})

t.test('mentions', async t => {
  const session_id = await newSession(app, HOST)
  const mentioning = ['@worker-1 please', 'done (@worker-1).', 'all: @worker-2, @worker-1:', '请@worker-1看']
  for (const content of [...mentioning, '@worker-10', '@worker-1-b', 'me@worker-1', 'worker-1', '100% @'])
    await write(session_id, content)
  t.same(await unread(session_id), { messages: 9, mentions: 4 })
  t.same(await unread(session_id, { agent_id: 'worker-10' }), { messages: 9, mentions: 1 })
  await ok(app, 'mark_read', { session_id, up_to_seq: 2 }, ME)
  t.same(await unread(session_id), { messages: 7, mentions: 2 })
  for (const agent_id of ['a b.*', '100%_x', 'back\\slash', 'ágnes', '研究员', '🤖', '[x']) {
    const session_id = await newSession(app, HOST)
    await ok(
      app,
      'add_messages',
      {
        session_id,
        messages: [
          { content: `hello @${agent_id}, go` },
          { content: `hello @${agent_id}x` },
          { content: 'hello @aXbYY @100yyx' }
        ]
      },
      HOST
    )
    const viewer = /^[\x20-\x7e]*$/.test(agent_id)
      ? { agent_id }
      : { token: (await ok(app, 'authenticate_agent', { agent_id, agent_type: 'x' })).token }
    t.same(await unread(session_id, viewer), { messages: 3, mentions: 1 }, agent_id)
  }
})

t.test('what is shown later is unread from then on', async t => {
  const session_id = await newSession(app, HOST)
  const hidden = await write(session_id, '@worker-1 between us', HOST, 'private')
  const seen = await write(session_id, 'for all')
  await ok(app, 'mark_read', { session_id }, ME)
  t.same(await unread(session_id), { messages: 0, mentions: 0 })
  await ok(app, 'set_message_visibility', { message_id: hidden, visibility: 'public' }, HOST)
  t.same(await unread(session_id), { messages: 1, mentions: 1 })
  t.equal((await ok(app, 'get_messages', { session_id, after_seq: 2 }, ME)).count, 1, 'as after_seq has it')
  await ok(app, 'mark_read', { session_id }, ME)
  t.same(await unread(session_id), { messages: 0, mentions: 0 })
  await ok(app, 'set_message_visibility', { message_id: seen, visibility: 'private' }, HOST)
  t.same(await unread(session_id), { messages: 0, mentions: 0 }, 'what was hidden is not unread')
  await write(session_id, 'again for all')
  await ok(app, 'set_message_visibility', { message_id: seen, visibility: 'public' }, HOST)
  await ok(app, 'set_message_visibility', { message_id: seen, visibility: 'private' }, HOST)
  await ok(app, 'set_message_visibility', { message_id: seen, visibility: 'public' }, HOST)
  t.same(await unread(session_id), { messages: 2, mentions: 0 }, 'shown twice, counted once')
})

t.test('only what one may see is counted', async t => {
  const session_id = await newSession(app, HOST)
  const writer: As = { agent_id: 'writer', agent_type: 'red', admin: true }
  for (const visibility of VISIBILITIES) await write(session_id, '@worker-1 @host @boss', writer, visibility)
  t.same(await unread(session_id, ME), { messages: 3, mentions: 3 }, 'public, agent_only of its type, and to it')
  t.same(await unread(session_id, HOST), { messages: 1, mentions: 1 })
  t.same(await unread(session_id, { agent_id: 'boss', admin: true }), { messages: 5, mentions: 5 })
  t.same(await unread(session_id, writer), { messages: 0, mentions: 0 })
})

t.test('list_sessions tells of each session its own', async t => {
  const host = { agent_id: 'host-of-many' }
  const ids: string[] = []
  for (let i = 0; i < 6; i++) {
    const session_id = await newSession(app, host)
    ids.push(session_id)
    for (let n = 0; n < i; n++) await write(session_id, n === 0 ? '@worker-1' : 'x')
    if (i % 2 === 0) await ok(app, 'mark_read', { session_id, up_to_seq: Math.floor(i / 2) }, ME)
  }
  const { sessions } = await ok(app, 'list_sessions', { created_by: 'host-of-many' }, ME)
  t.same(
    sessions.map(({ id, last_read_seq, unread }: any) => [
      ids.indexOf(id),
      last_read_seq,
      unread.messages,
      unread.mentions
    ]),
    [
      [5, 0, 5, 1],
      [4, 2, 2, 0],
      [3, 0, 3, 1],
      [2, 1, 1, 0],
      [1, 0, 1, 1],
      [0, 0, 0, 0]
    ]
  )
})
