import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { holding, waits } from '../support/holding.js'

/** get_inbox and wait_for_inbox: what is in an inbox, in which order, and page by page. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const SENDER = { agent_id: 'sender', agent_type: 'red' }
let agents = 0
const newAgent = () => ({ agent_id: `agent-${++agents}`, agent_type: `type-${agents}` })

async function write(session_id: string, more: Record<string, unknown>, as = SENDER): Promise<number> {
  return (await ok(app, 'add_message', { session_id, content: 'x', ...more }, as)).message_id
}
const idsOf = ({ messages }: any): number[] => messages.map(({ id }: any) => id)

t.test('what is to an agent, to its type, or mentions it; once, and nothing else', async t => {
  const me = newAgent()
  const [one, two] = [await newSession(app), await newSession(app)]
  const wanted = [
    await write(one, { to: [me.agent_id] }),
    await write(two, { to: [`type:${me.agent_type}`] }),
    await write(one, { content: `@${me.agent_id}: look` }),
    await write(two, { content: `@${me.agent_id}, you and yours`, to: [me.agent_id, `type:${me.agent_type}`, 'x'] })
  ]
  await write(one, { to: ['another'] })
  await write(one, { content: `@${me.agent_id}b and me@${me.agent_id}` })
  await write(one, { to: [me.agent_id, `type:${me.agent_type}`], content: `@${me.agent_id}` }, me)
  await write(one, { to: [me.agent_id], visibility: 'private' })
  const inbox = await ok(app, 'get_inbox', {}, me)
  t.same(idsOf(inbox), wanted.toReversed(), 'newest first; neither its own nor what it may not see')
  t.match(inbox, { count: 4, has_more: false, next_cursor: null })
  t.match(inbox.messages[0], { read: false, acked: false, sender: 'sender', session_id: two })
  t.same(idsOf(await ok(app, 'get_inbox', { session_id: one }, me)), [wanted[2], wanted[0]], 'of one session')
  await ok(app, 'delete_message', { message_id: wanted[0] }, SENDER)
  await ok(app, 'delete_session', { session_id: two }, { admin: true })
  t.same(idsOf(await ok(app, 'get_inbox', {}, me)), [wanted[2]], 'nothing of what was deleted')
})

t.test('credentials for some sessions see the inbox of these', async t => {
  const [one, two] = [await newSession(app), await newSession(app)]
  const me = newAgent()
  for (const session_id of [one, two]) await write(session_id, { to: [me.agent_id] })
  const { token } = await ok(app, 'authenticate_agent', { ...me, sessions: [one] })
  const { messages } = await ok(app, 'get_inbox', {}, { token })
  t.same(
    messages.map(({ session_id }: any) => session_id),
    [one]
  )
  isFailure(t, await call(app, 'get_inbox', { session_id: two }, { token }), 'SESSION_NOT_FOUND')
})

t.test('what is acknowledged stands behind the rest; pages lose and repeat nothing meanwhile', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const ids: number[] = []
  for (let i = 0; i < 12; i++) ids.push(await write(session_id, { to: [me.agent_id] }))
  await ok(app, 'ack_messages', { message_ids: ids.slice(8) }, me)
  const order = [...ids.slice(0, 8).toReversed(), ...ids.slice(8).toReversed()]
  t.same(idsOf(await ok(app, 'get_inbox', {}, me)), order)
  t.same(idsOf(await ok(app, 'get_inbox', { unacked_only: true }, me)), order.slice(0, 8))

  const seen: number[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < 20; pages++) {
    const page: any = await ok(app, 'get_inbox', { limit: 3, cursor }, me)
    seen.push(...idsOf(page))
    // Some of what has been shown, and some of what has not, and a new one.
    await ok(app, 'ack_messages', { message_ids: [page.messages[0].id, ids[0]] }, me)
    await write(session_id, { to: [me.agent_id] })
    cursor = page.next_cursor
    if (!page.has_more) break
  }
  t.same(seen, order)
  isFailure(t, await call(app, 'get_inbox', { cursor: 'other' }, me), 'INVALID_INPUT')
  const { next_cursor } = await ok(app, 'get_inbox', { limit: 1 }, me)
  isFailure(t, await call(app, 'get_inbox', { limit: 1, unread_only: true, cursor: next_cursor }, me), 'INVALID_INPUT')
})

t.test('read is what mark_read or get_inbox has marked', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const [first, second, third] = [
    await write(session_id, { to: [me.agent_id] }),
    await write(session_id, { content: `@${me.agent_id}` }),
    await write(session_id, { to: [`type:${me.agent_type}`] })
  ]
  const unread = async () => idsOf(await ok(app, 'get_inbox', { unread_only: true }, me))
  t.same(await unread(), [third, second, first], 'reading an inbox marks nothing by itself')
  const { messages } = await ok(app, 'get_messages', { session_id }, me)
  await ok(app, 'mark_read', { session_id, up_to_seq: messages[0].seq }, me)
  t.same(await unread(), [third, second])
  t.match(await ok(app, 'get_inbox', { limit: 1, mark_read: true }, me), { messages: [{ id: third, read: false }] })
  t.same(await unread(), [second])
  await ok(app, 'mark_read', { session_id }, me)
  t.same(await unread(), [])
  t.ok((await ok(app, 'get_inbox', {}, me)).messages.every(({ read }: any) => read === true))
})

t.test('a wait ends with what comes, on another replica too, and nobody else is woken by it', async t => {
  const [me, somebody] = [newAgent(), newAgent()]
  const session_id = await newSession(app)
  for (const more of [{ to: [me.agent_id] }, { to: [`type:${me.agent_type}`] }, { content: `@${me.agent_id}` }]) {
    const waiting = ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
    await new Promise(resolve => setTimeout(resolve, 100))
    const id = await write(session_id, more)
    const came = await waiting
    t.match(came, { count: 1, timed_out: false, messages: [{ id }] }, JSON.stringify(more))
    t.match(
      await ok(other, 'wait_for_inbox', {}, me),
      { count: 1, messages: [{ id }] },
      'at once, until it is acknowledged'
    )
    await ok(app, 'ack_messages', { message_ids: [id] }, me)
  }
  t.match(await ok(app, 'wait_for_inbox', { timeout_seconds: 0.2 }, me), { count: 0, timed_out: true, messages: [] })
  t.match(await ok(app, 'wait_for_inbox', { timeout_seconds: 0.2 }, somebody), { count: 0, timed_out: true })
  t.match(
    await ok(app, 'wait_for_inbox', { unacked_only: false }, me),
    { count: 3 },
    'what is acknowledged, if asked for'
  )
})

t.test('a wait ends when a message that mentions the agent becomes one that it may see', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const id = await write(session_id, { content: `@${me.agent_id}`, visibility: 'private' })
  const waiting = ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
  await new Promise(resolve => setTimeout(resolve, 100))
  await ok(app, 'set_message_visibility', { message_id: id, visibility: 'public' }, SENDER)
  t.match(await waiting, { count: 1, timed_out: false, messages: [{ id }] })
})

t.test('of two calls that read at once, each message goes to one', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const args = { unread_only: true, mark_read: true }
  for (const [tool, more] of [
    ['get_inbox', {}],
    ['wait_for_inbox', { timeout_seconds: 1 }]
  ] as const) {
    const ids = [await write(session_id, { to: [me.agent_id] }), await write(session_id, { to: [me.agent_id] })]
    // Both have read, and wait for each other to mark.
    const held = await holding(t, app, 'lock table receipts in exclusive mode')
    const calls = [app, other].map(one => ok(one, tool, { ...args, ...more }, me))
    await waits(app, 'insert into receipts', 2)
    await held.release()
    const answers = await Promise.all(calls)
    t.same(answers.flatMap(idsOf).sort(), ids, tool)
    for (const { count, messages } of answers) t.equal(count, messages.length)
  }
})

t.test('a wait that reads gets each message once', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const ids = [await write(session_id, { to: [me.agent_id] }), await write(session_id, { to: [me.agent_id] })]
  const got: number[] = []
  for (let i = 0; i < 2; i++)
    got.push(...idsOf(await ok(app, 'wait_for_inbox', { unread_only: true, mark_read: true, limit: 1 }, me)))
  t.same(got.sort(), ids)
  const args = { unread_only: true, mark_read: true, timeout_seconds: 0 }
  t.match(await ok(app, 'wait_for_inbox', args, me), { count: 0, timed_out: true })
})

t.test('a message that is shown later wakes those it is to', async t => {
  const me = newAgent()
  const session_id = await newSession(app)
  const message_id = await write(session_id, { to: [me.agent_id], visibility: 'private' })
  const waiting = ok(other, 'wait_for_inbox', { timeout_seconds: 20 }, me)
  await new Promise(resolve => setTimeout(resolve, 100))
  await ok(app, 'set_message_visibility', { message_id, visibility: 'direct' }, SENDER)
  t.match(await waiting, { messages: [{ id: message_id, visibility: 'direct' }] })
})
