import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

const app = await startApp(t)

async function sessionOf(count: number, as = {}): Promise<string> {
  const session_id = await newSession(app)
  await ok(
    app,
    'add_messages',
    { session_id, messages: Array.from({ length: count }, (_, i) => ({ content: `m${i + 1}` })) },
    as
  )
  return session_id
}

/** A page in short: the numbers of its messages, whether more follow, and the cursor. */
async function page(
  session_id: string,
  args: Record<string, unknown> = {},
  as = {}
): Promise<[messages: number[], has_more: boolean, last_seq: number]> {
  const answer = await ok(app, 'get_messages', { session_id, ...args }, as)
  t.equal(answer.count, answer.messages.length)
  return [answer.messages.map((message: any) => Number(message.content.slice(1))), answer.has_more, answer.last_seq]
}

t.test('without a word about order, the newest, oldest of them first', async t => {
  const session = await sessionOf(10)
  t.same(await page(session), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false, 10])
  t.same(await page(session, { limit: 3 }), [[8, 9, 10], true, 10])
  t.same(await page(session, { limit: 3, offset: 3 }), [[5, 6, 7], true, 7])
  t.same((await page(session, { limit: 3, offset: 9 })).slice(0, 2), [[1], false])
  t.same((await page(session, { limit: 3, offset: 10 })).slice(0, 2), [[], false])
  t.same((await page(session, { offset: Number.MAX_SAFE_INTEGER })).slice(0, 2), [[], false])
  t.same(await page(session, { limit: 10 }), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false, 10], 'a page that is just full')
})

t.test('order pages from the named end', async t => {
  const session = await sessionOf(10)
  t.same(await page(session, { order: 'asc', limit: 3 }), [[1, 2, 3], true, 3])
  t.same(await page(session, { order: 'asc', limit: 3, offset: 3 }), [[4, 5, 6], true, 6])
  t.same(await page(session, { order: 'asc', limit: 3, offset: 9 }), [[10], false, 10])
  t.same(await page(session, { order: 'desc', limit: 3 }), [[10, 9, 8], true, 10])
  t.same((await page(session, { order: 'desc', limit: 3, offset: 8 })).slice(0, 2), [[2, 1], false])
  isFailure(t, await call(app, 'get_messages', { session_id: session, order: 'up' }), 'INVALID_INPUT')
})

t.test('cursors', async t => {
  const session = await sessionOf(10)
  t.same(await page(session, { after_seq: 0, limit: 4 }), [[1, 2, 3, 4], true, 4])
  t.same(await page(session, { after_seq: 4, limit: 4 }), [[5, 6, 7, 8], true, 8])
  t.same(await page(session, { after_seq: 8, limit: 4 }), [[9, 10], false, 10])
  t.same(await page(session, { after_seq: 10 }), [[], false, 10], 'nothing new')
  t.same((await page(session, { after_seq: 1000 })).slice(0, 2), [[], false], 'a cursor ahead of the session')
  t.same((await page(session, { before_seq: 4 })).slice(0, 2), [[1, 2, 3], false])
  t.same((await page(session, { before_seq: 4, limit: 2 })).slice(0, 2), [[2, 3], true], 'the newest before it')
  t.same((await page(session, { before_seq: 4, limit: 2, order: 'asc' })).slice(0, 2), [[1, 2], true])
  t.same((await page(session, { before_seq: 0 })).slice(0, 2), [[], false])
  t.same((await page(session, { after_seq: 3, before_seq: 7 })).slice(0, 2), [[4, 5, 6], false], 'both')
  t.same((await page(session, { after_seq: 3, order: 'desc', limit: 2 })).slice(0, 2), [[10, 9], true])
})

t.test('last_seq never passes over what has not been returned', async t => {
  const session = await sessionOf(10)
  for (const args of [
    { limit: 3 },
    { limit: 3, order: 'asc' },
    { limit: 3, offset: 2 },
    { before_seq: 6 },
    { before_seq: 6, limit: 2 },
    { after_seq: 2, limit: 3 },
    { after_seq: 2, limit: 3, order: 'desc' },
    { order: 'desc', limit: 2, offset: 4 }
  ] as Array<Record<string, any>>) {
    const [messages, , last_seq] = await page(session, args)
    const [rest] = await page(session, { after_seq: last_seq, limit: 100 })
    const from = args.after_seq ?? Math.min(...messages) - 1
    t.ok([...messages, ...rest].length >= 10 - from, JSON.stringify(args))
    t.same(
      [...new Set([...messages, ...rest])].sort((a, b) => a - b),
      Array.from({ length: 10 - from }, (_, i) => from + 1 + i),
      `${JSON.stringify(args)} goes on without a gap`
    )
  }
})

t.test('an empty session', async t => {
  const session = await newSession(app)
  t.match(await ok(app, 'get_messages', { session_id: session }), {
    messages: [],
    count: 0,
    total_count: 0,
    has_more: false,
    last_seq: 0
  })
})

t.test('total_count is of what matches, whatever the page', async t => {
  const session_id = await newSession(app)
  const first = (await ok(app, 'add_message', { session_id, content: 'm1' }, { agent_id: 'ann' })).message_id
  await ok(
    app,
    'add_messages',
    { session_id, messages: [2, 3, 4].map(i => ({ content: `m${i}`, parent_message_id: first })) },
    { agent_id: 'bob' }
  )
  await ok(app, 'add_message', { session_id, content: 'm5', visibility: 'private' }, { agent_id: 'bob' })
  const total = async (args: Record<string, unknown>, agent_id = 'bob') =>
    (await ok(app, 'get_messages', { session_id, limit: 1, ...args }, { agent_id })).total_count
  t.equal(await total({}), 5)
  t.equal(await total({}, 'ann'), 4)
  t.equal(await total({ after_seq: 3 }), 5, 'a cursor does not change it')
  t.equal(await total({ sender: 'bob' }), 4)
  t.equal(await total({ sender: 'bob' }, 'ann'), 3)
  t.equal(await total({ visibility_filter: 'private' }), 1)
  t.equal(await total({ visibility_filter: 'private' }, 'ann'), 0)
  t.equal(await total({ parent_message_id: first }), 3)
  t.equal(await total({ parent_message_id: first, sender: 'ann' }), 0)
  t.same((await page(session_id, { parent_message_id: first, limit: 2 }, { agent_id: 'ann' })).slice(0, 2), [
    [3, 4],
    true
  ])
  t.same((await page(session_id, { sender: 'bob', visibility_filter: 'public', after_seq: 2 })).slice(0, 2), [
    [3, 4],
    false
  ])
})

t.test('limits', async t => {
  const session_id = await newSession(app)
  for (const args of [
    { limit: 0 },
    { limit: 1001 },
    { offset: -1 },
    { after_seq: -1 },
    { limit: 1.5 },
    { limit: '5x' }
  ])
    isFailure(t, await call(app, 'get_messages', { session_id, ...args }), 'INVALID_INPUT', JSON.stringify(args))
  t.match(await ok(app, 'get_messages', { session_id, limit: '1000', offset: '0' }), { count: 0 })
})
