import t from 'tap'
import { type As, call, credentials, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { callTool } from '../mcp/clients.js'
import { until } from '../support/until.js'

/** ask and wait_for_reply: the answer of the right one, on any replica. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const ASKER = { agent_id: 'asker', agent_type: 'red' }
const STRANGER = { agent_id: 'stranger', agent_type: 'green' }
let agents = 0
const newAgent = () => ({ agent_id: `agent-${++agents}`, agent_type: `type-${agents}` })

/** Waits on the other replica for a question, and answers it. */
async function answerNext(me: As, content: string, more: Record<string, unknown> = {}): Promise<number> {
  const { messages } = await ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
  const { id, session_id } = messages[0]
  await ok(other, 'ack_messages', { message_ids: [id] }, me)
  return (await ok(other, 'add_message', { session_id, content, parent_message_id: id, ...more }, me)).message_id
}

t.test('the answer comes to whoever asked, across replicas; nobody else sees either', async t => {
  const me = newAgent()
  const [asked, reply_id] = await Promise.all([
    ok(app, 'ask', { to: me.agent_id, content: 'Which aardvark?', payload: { n: 1 } }, ASKER),
    answerNext(me, 'The grey aardvark.')
  ])
  t.match(asked, {
    timed_out: false,
    addressed: [{ agent_id: me.agent_id }],
    reply: { id: reply_id, content: 'The grey aardvark.', sender: me.agent_id, visibility: 'direct', to: ['asker'] }
  })
  const { session_id, message_id } = asked
  for (const viewer of [ASKER, me, { ...STRANGER, admin: true }]) {
    t.equal((await ok(app, 'get_messages', { session_id }, viewer)).count, 2)
    const { sessions } = await ok(app, 'list_sessions', {}, viewer)
    t.ok(sessions.some(({ id }: any) => id === session_id))
  }
  isFailure(t, await call(app, 'get_session', { session_id }, STRANGER), 'SESSION_NOT_FOUND')
  t.notOk((await ok(app, 'list_sessions', {}, STRANGER)).sessions.some(({ id }: any) => id === session_id))
  t.match(await ok(app, 'get_messages', { session_id }, STRANGER), { count: 0, total_count: 0, messages: [] })
  t.equal((await ok(app, 'search_context', { query: 'aardvark' }, STRANGER)).message_count, 0)
  isFailure(t, await call(app, 'update_session', { session_id, purpose: 'p' }, STRANGER), 'SESSION_NOT_FOUND')
  for (const visibility of ['public', 'private'])
    isFailure(
      t,
      await call(app, 'add_message', { session_id, content: 'me too', visibility }, STRANGER),
      'SESSION_NOT_FOUND'
    )
  const several = { session_id, messages: [{ content: 'me' }, { content: 'too' }] }
  isFailure(t, await call(app, 'add_messages', several, STRANGER), 'SESSION_NOT_FOUND')
  isFailure(t, await call(app, 'ask', { to: me.agent_id, content: 'q', session_id }, STRANGER), 'SESSION_NOT_FOUND')
  for (const tool of ['wait_for_reply', 'get_receipts'])
    isFailure(t, await call(app, tool, { message_id }, STRANGER), 'MESSAGE_NOT_FOUND')

  const again = await ok(app, 'ask', { to: me.agent_id, content: 'And the other?', timeout_seconds: 0 }, ASKER)
  t.equal(again.session_id, session_id, 'one session for the two of them')
  const back = await ok(app, 'ask', { to: 'asker', content: 'Why?', timeout_seconds: 0 }, me)
  t.equal(back.session_id, session_id, 'whoever asks')
})

t.test('only an answer of the one who was asked counts, and only to this question', async t => {
  const [me, peer] = [newAgent(), newAgent()]
  const session_id = await newSession(app)
  const asking = ok(app, 'ask', { to: me.agent_id, content: 'q', session_id, timeout_seconds: 20 }, ASKER)
  const { messages } = await ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
  t.match(messages[0], { visibility: 'public', session_id, to: [me.agent_id] }, 'in a session it is for all to read')
  const parent_message_id = messages[0].id
  await ok(other, 'add_message', { session_id, content: 'of a peer', parent_message_id }, peer)
  await ok(other, 'add_message', { session_id, content: 'no answer' }, me)
  const elsewhere = await ok(app, 'add_message', { session_id, content: 'another question' }, ASKER)
  await ok(other, 'add_message', { session_id, content: 'to that', parent_message_id: elsewhere.message_id }, me)
  const hidden = { session_id, content: 'hidden', parent_message_id, visibility: 'private' }
  await ok(other, 'add_message', hidden, me)
  const right = await ok(other, 'add_message', { session_id, content: 'right', parent_message_id }, me)
  t.match(await asking, { reply: { id: right.message_id, content: 'right' }, timed_out: false })
})

t.test('wait_for_reply goes on where ask has timed out', async t => {
  const me = newAgent()
  const { message_id, reply, timed_out } = await ok(
    app,
    'ask',
    { to: me.agent_id, content: 'q', timeout_seconds: 0.1 },
    ASKER
  )
  t.same([reply, timed_out], [null, true])
  t.match(await ok(app, 'wait_for_reply', { message_id, timeout_seconds: 0.1 }, ASKER), {
    reply: null,
    timed_out: true
  })
  const waiting = ok(app, 'wait_for_reply', { message_id, timeout_seconds: 20 }, ASKER)
  const reply_id = await answerNext(me, 'late')
  t.match(await waiting, { reply: { id: reply_id }, timed_out: false })
  t.match(await ok(app, 'wait_for_reply', { message_id }, ASKER), { reply: { id: reply_id } }, 'at once, ever after')
  isFailure(t, await call(app, 'wait_for_reply', { message_id }, me), 'PERMISSION_DENIED')
  const session_id = await newSession(app, ASKER)
  const { message_id: nobodys } = await ok(app, 'add_message', { session_id, content: 'x' }, ASKER)
  isFailure(t, await call(app, 'wait_for_reply', { message_id: nobodys }, ASKER), 'INVALID_INPUT')
})

t.test('a closed session takes no answer: nobody waits for one', async t => {
  const me = newAgent()
  const session_id = await newSession(app, ASKER)
  const question = { to: me.agent_id, content: 'q', session_id, timeout_seconds: 0.1 }
  const { message_id } = await ok(app, 'ask', question, ASKER)
  const waiting = ok(other, 'wait_for_reply', { message_id, timeout_seconds: 20 }, ASKER)
  const watching = ok(other, 'wait_for_inbox', { session_id, timeout_seconds: 20 }, newAgent())
  await until(() => other.server.waiters.taken === 2, 'they wait')
  await ok(app, 'close_session', { session_id }, ASKER)
  const ended = { reply: null, timed_out: false }
  t.match(await waiting, ended, 'closed meanwhile')
  t.match(await watching, { count: 0, timed_out: false }, 'closed meanwhile')
  t.match(await ok(app, 'wait_for_reply', { message_id, timeout_seconds: 20 }, ASKER), ended, 'closed before')
  const inbox = { session_id, timeout_seconds: 20 }
  t.match(await ok(app, 'wait_for_inbox', inbox, me), { count: 1 }, 'what is there is got all the same')
  await ok(app, 'ack_messages', { message_ids: [message_id] }, me)
  t.match(await ok(app, 'wait_for_inbox', inbox, me), { count: 0, messages: [], timed_out: false })
})

t.test('a type can be asked: its first agent answers', async t => {
  const me = newAgent()
  const [asked, reply_id] = await Promise.all([
    ok(app, 'ask', { to: `type:${me.agent_type}`, content: 'anybody?' }, ASKER),
    answerNext(me, 'I')
  ])
  t.match(asked.reply, { id: reply_id, sender: me.agent_id, to: ['asker'] })
  t.equal((await ok(app, 'get_messages', { session_id: asked.session_id }, STRANGER)).count, 0)
})

t.test('many ask at once, and each gets its own answer', async t => {
  const me = newAgent()
  const askers = Array.from({ length: 20 }, (_, i) => ({ agent_id: `asker-${i}`, agent_type: 'red' }))
  const asking = askers.map(as => ok(app, 'ask', { to: me.agent_id, content: `from ${as.agent_id}` }, as))
  for (let answered = 0; answered < askers.length;) {
    const { messages } = await ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
    for (const { id, session_id, sender } of messages) {
      const answer = { session_id, content: `to ${sender}`, parent_message_id: id }
      await ok(other, 'add_message', answer, me)
      await ok(other, 'ack_messages', { message_ids: [id] }, me)
      answered++
    }
  }
  t.same(
    (await Promise.all(asking)).map(({ reply }) => reply.content),
    askers.map(({ agent_id }) => `to ${agent_id}`)
  )
})

t.test('a repeat asks nothing anew, and gets the same answer', async t => {
  const me = newAgent()
  const args = { to: me.agent_id, content: 'q', idempotency_key: 'asked', timeout_seconds: 0 }
  const first = await ok(app, 'ask', args, ASKER)
  const reply_id = await answerNext(me, 'a')
  t.match(await ok(app, 'ask', args, ASKER), { message_id: first.message_id, reply: { id: reply_id } })
  t.equal((await ok(app, 'get_messages', { session_id: first.session_id }, ASKER)).count, 2)
  isFailure(t, await call(app, 'ask', { ...args, content: 'other' }, ASKER), 'IDEMPOTENCY_CONFLICT')
})

t.test('over MCP, no longer than clients wait', async t => {
  const me = newAgent()
  const asking = callTool(app, 'modern', 'ask', { to: me.agent_id, content: 'q' }, credentials(ASKER))
  const reply_id = await answerNext(me, 'a')
  t.match(await asking, { said: { reply: { id: reply_id } } })
  for (const tool of ['ask', 'wait_for_inbox']) {
    const args = { ...(tool === 'ask' && { to: 'x', content: 'q' }), timeout_seconds: 26 }
    t.match(await callTool(app, 'modern', tool, args, credentials(ASKER)), { said: { code: 'INVALID_INPUT' } }, tool)
  }
})

t.test('what cannot be asked', async t => {
  const { token } = await ok(app, 'authenticate_agent', { ...ASKER, sessions: [await newSession(app)] })
  isFailure(t, await call(app, 'ask', { to: 'x', content: 'q' }, { token }), 'PERMISSION_DENIED')
  for (const args of [{ to: ['x'] }, { to: 'type:' }, { to: '' }, { to: 'x', timeout_seconds: 56 }])
    isFailure(t, await call(app, 'ask', { content: 'q', ...args }, ASKER), 'INVALID_INPUT')
  isFailure(t, await call(app, 'ask', { to: 'x', content: '' }, ASKER), 'INVALID_INPUT')
})
