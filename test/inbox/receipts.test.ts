import t from 'tap'
import { type As, call, credentials, listen, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'
import { openStream } from '../http/stream-client.js'
import { callTool, openSession } from '../mcp/clients.js'

/** get_receipts: delivered when delivered and only then, read when marked, acked when acked. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const base = await listen(app)
const SENDER = { agent_id: 'sender', agent_type: 'red' }
let agents = 0
const newAgent = () => ({ agent_id: `agent-${++agents}`, agent_type: 'blue' })

const receipts = async (message_id: number, as: As = SENDER): Promise<any[]> =>
  (await ok(app, 'get_receipts', { message_id }, as)).receipts
const receiptOf = async (message_id: number, { agent_id }: As) =>
  (await receipts(message_id)).find(receipt => receipt.agent_id === agent_id)
const write = async (session_id: string, more: Record<string, unknown>): Promise<number> =>
  (await ok(app, 'add_message', { session_id, content: 'zebra', ...more }, SENDER)).message_id

/** Longer than deliveries are gathered for. */
const longEnough = () => new Promise(resolve => setTimeout(resolve, 1500))

const NOTHING = { delivered_at: null, read_at: null, acked_at: null, note: null, reply_ids: [] }

type Way = (session_id: string, me: ReturnType<typeof newAgent>, before: () => Promise<number>) => Promise<number>
const reading =
  (tool: string, more: Record<string, unknown> = {}): Way =>
  async (session_id, me, write) => {
    const message_id = await write()
    const args = tool === 'get_inbox' || tool === 'wait_for_inbox' ? more : { session_id, ...more }
    t.ok(JSON.stringify(await ok(app, tool, args, me)).includes(`"id":${message_id}`), tool)
    return message_id
  }
const overMcp =
  (era: 'legacy' | 'modern', tool: string, more: Record<string, unknown> = {}): Way =>
  async (session_id, me, write) => {
    const message_id = await write()
    const headers = {
      ...credentials(me),
      ...(era === 'legacy' && (await openSession(app, 'a client', credentials(me))))
    }
    await callTool(app, era, tool, { session_id, ...more }, headers)
    return message_id
  }
const streaming =
  (path: (session_id: string) => string): Way =>
  async (session_id, me, write) => {
    const stream = await openStream(base, path(session_id), me)
    await stream.waitFor(events => events.length > 0)
    const message_id = await write()
    await stream.waitFor(() => stream.changes().some(({ data }) => data.message?.id === message_id))
    stream.close()
    return message_id
  }

const WAYS: Record<string, Way> = {
  get_messages: reading('get_messages'),
  'get_messages after a cursor': reading('get_messages', { after_seq: 0 }),
  get_session: reading('get_session'),
  get_inbox: reading('get_inbox'),
  wait_for_inbox: reading('wait_for_inbox'),
  'wait_for_messages, of what is there': reading('wait_for_messages', { after_seq: 0 }),
  search_context: reading('search_context', { query: 'zebra' }),
  search_by_sender: reading('search_by_sender', { sender: 'sender' }),
  'wait_for_messages, of what comes': async (session_id, me, write) => {
    const waiting = ok(other, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 20 }, me)
    await new Promise(resolve => setTimeout(resolve, 100))
    const message_id = await write()
    await waiting
    return message_id
  },
  'MCP of 2025': overMcp('legacy', 'get_messages'),
  'MCP of 2026': overMcp('modern', 'wait_for_messages', { after_seq: 0 }),
  'the stream of a session': streaming(session_id => `/mcp/sessions/${session_id}/events`),
  'the stream of the workspace': streaming(() => '/mcp/events')
}

t.test('delivered, by every way', { jobs: 8 }, async t => {
  for (const [name, way] of Object.entries(WAYS)) {
    for (const [kind, address] of [
      ['by name', (me: ReturnType<typeof newAgent>) => me.agent_id],
      ['by type', (me: ReturnType<typeof newAgent>) => `type:${me.agent_type}`]
    ] as const)
      t.test(`${name}, ${kind}`, async t => {
        const me = { ...newAgent(), agent_type: `type-${agents}` }
        const session_id = await newSession(app, SENDER)
        const message_id = await way(session_id, me, () => write(session_id, { to: [address(me)] }))
        await until(async () => typeof (await receiptOf(message_id, me))?.delivered_at === 'string', 'the delivery')
        t.match(
          await receiptOf(message_id, me),
          { ...NOTHING, delivered_at: /Z$/ },
          'and neither read nor acknowledged'
        )
      })
  }
})

t.test('not delivered without a delivery, nor by one to somebody else', async t => {
  const [me, peer] = [newAgent(), newAgent()]
  const session_id = await newSession(app, SENDER)
  const message_id = await write(session_id, { to: [me.agent_id] })
  const mentioned = await write(session_id, { content: `@${peer.agent_id} @${me.agent_id}` })
  // Its session, its count, what others are told of it, a page without it.
  for (const tool of ['list_sessions', 'list_agents']) await ok(app, tool, {}, me)
  await ok(app, 'get_session', { session_id, message_limit: 0 }, me)
  await ok(app, 'get_messages', { session_id, limit: 1, order: 'desc' }, me)
  await ok(app, 'get_messages', { session_id }, peer)
  await ok(app, 'get_messages', { session_id }, SENDER)
  await longEnough()
  t.same(await receipts(message_id), [{ agent_id: me.agent_id, ...NOTHING }])
  t.same(await receipts(mentioned), [], 'a mention is no address')
  await ok(app, 'ack_messages', { message_ids: [mentioned] }, peer)
  t.match(await receipts(mentioned), [{ agent_id: peer.agent_id, delivered_at: null, acked_at: /Z$/ }])
})

t.test('read and acknowledged when they are, with notes and answers', async t => {
  const [me, peer] = [newAgent(), newAgent()]
  const session_id = await newSession(app, SENDER)
  const message_id = await write(session_id, { to: [me.agent_id, 'type:blue'] })
  t.same(
    await receipts(message_id),
    [{ agent_id: me.agent_id, ...NOTHING }],
    'of a type only those with whom something was'
  )
  await ok(app, 'mark_read', { session_id }, me)
  t.match(await receiptOf(message_id, me), { ...NOTHING, read_at: /Z$/ })
  const { read_at } = await receiptOf(message_id, me)
  t.same(await ok(app, 'ack_messages', { message_ids: [message_id, message_id], note: 'mine' }, me), {
    success: true,
    count: 1
  })
  const { acked_at } = await receiptOf(message_id, me)
  await ok(app, 'ack_messages', { message_ids: [message_id], note: 'done' }, me)
  await ok(app, 'ack_messages', { message_ids: [message_id] }, me)
  const { message_id: reply } = await ok(
    app,
    'add_message',
    { session_id, content: 'a', parent_message_id: message_id },
    me
  )
  const hidden = { session_id, content: 'a', parent_message_id: message_id, visibility: 'private' }
  await ok(app, 'add_message', hidden, me)
  t.strictSame(await receiptOf(message_id, me), {
    ...{ agent_id: me.agent_id, delivered_at: null, read_at, acked_at, note: 'done', reply_ids: [reply] }
  })
  await ok(app, 'get_inbox', { mark_read: true }, peer)
  t.match(await receiptOf(message_id, peer), { read_at: /Z$/, acked_at: null })
})

t.test('only what is in the inbox can be acknowledged, all or none', async t => {
  const me = newAgent()
  const session_id = await newSession(app, SENDER)
  const [mine, direct, others] = [
    await write(session_id, { to: [me.agent_id] }),
    await write(session_id, { to: ['another'], visibility: 'direct' }),
    await write(session_id, {})
  ]
  for (const message_ids of [
    [mine, direct],
    [mine, others],
    [mine, 999_999_999]
  ])
    isFailure(t, await call(app, 'ack_messages', { message_ids }, me), 'MESSAGE_NOT_FOUND')
  isFailure(t, await call(app, 'ack_messages', { message_ids: [mine] }, SENDER), 'MESSAGE_NOT_FOUND')
  for (const message_ids of [[], Array(101).fill(1), ['a'], 5])
    isFailure(t, await call(app, 'ack_messages', { message_ids }, me), 'INVALID_INPUT')
  isFailure(t, await call(app, 'ack_messages', { message_ids: [mine], note: 'x'.repeat(1001) }, me), 'INVALID_INPUT')
  t.match(await receiptOf(mine, me), { acked_at: null })
})

t.test('receipts are for the sender and admins', async t => {
  const me = newAgent()
  const session_id = await newSession(app, SENDER)
  const message_id = await write(session_id, { to: [me.agent_id], visibility: 'direct' })
  isFailure(t, await call(app, 'get_receipts', { message_id }, me), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'get_receipts', { message_id }, newAgent()), 'MESSAGE_NOT_FOUND')
  t.equal((await receipts(message_id, { agent_id: 'boss', admin: true })).length, 1)
})

t.test('receipts go with their message', async t => {
  const me = newAgent()
  const session_id = await newSession(app, SENDER)
  const message_id = await write(session_id, { to: [me.agent_id] })
  await ok(app, 'ack_messages', { message_ids: [message_id] }, me)
  await ok(app, 'delete_message', { message_id }, SENDER)
  isFailure(t, await call(app, 'get_receipts', { message_id }, SENDER), 'MESSAGE_NOT_FOUND')
  for (const table of ['receipts', 'inbox'] as const) {
    const rows = await app.database.db.selectFrom(table).selectAll().where('message_id', '=', message_id).execute()
    t.same(rows, [], table)
  }
})
