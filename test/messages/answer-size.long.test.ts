import t from 'tap'
import { newSession, ok, startApp } from '../helper.js'
import { fronts, pagesOf } from '../support/pages.js'

/** Answers with messages stop at 8 MiB, and nothing is lost between them. */

const app = await startApp(t)
const MOST = 8 * 1024 * 1024
const MESSAGES = 40
const session_id = await newSession(app)
// 300 kB each as UTF-8: 12 MB together.
for (let i = 0; i < MESSAGES; i += 20)
  await ok(app, 'add_messages', {
    session_id,
    messages: Array.from({ length: 20 }, (_, n) => ({ content: `needle ${i + n} ${'世'.repeat(99_980)}` }))
  })

const sizeOf = (answer: unknown) => Buffer.byteLength(JSON.stringify(answer))
const numbers = (messages: any[]) => messages.map(({ content }) => Number(content.split(' ')[1]))
const all = Array.from({ length: MESSAGES }, (_, i) => i)

for (const tool of ['get_messages', 'wait_for_messages'])
  t.test(`${tool}, from cursor to cursor`, async t => {
    const seen: number[] = []
    let after_seq = 0
    for (let more = true; more;) {
      const page = await ok(app, tool, {
        session_id,
        after_seq,
        limit: 100,
        ...(tool === 'wait_for_messages' && { timeout_seconds: 0 })
      })
      t.ok(sizeOf(page) <= MOST, `${sizeOf(page)} bytes`)
      t.equal(page.count, page.messages.length)
      seen.push(...numbers(page.messages))
      more = page.has_more
      after_seq = page.last_seq
    }
    t.same(seen, all, 'each once, in order')
  })

t.test('the newest page', async t => {
  const page = await ok(app, 'get_messages', { session_id, limit: 100 })
  t.ok(sizeOf(page) <= MOST)
  t.equal(page.has_more, true)
  t.same(numbers(page.messages), all.slice(-page.count), 'the newest ones, oldest first')
  const older = await ok(app, 'get_messages', { session_id, limit: 100, before_seq: page.messages[0].seq })
  t.same(numbers(older.messages), all.slice(0, MESSAGES - page.count))
  const session = await ok(app, 'get_session', { session_id, message_limit: 100 })
  t.ok(sizeOf(session) <= MOST && session.messages.length > 1)
})

t.test('lists with cursors', async t => {
  for (const [tool, args] of [
    ['search_by_sender', { sender: 'agent-1' }],
    ['search_by_timerange', { start_time: '2020-01-01', end_time: '2999-01-01' }]
  ] as const) {
    const pages = await pagesOf(fronts(app).REST, tool, { session_id, limit: 100, ...args })
    t.ok(pages.length > 1)
    for (const page of pages) t.ok(sizeOf(page) <= MOST)
    t.same(
      numbers(pages.flatMap(page => page.messages)).sort((a, b) => a - b),
      all,
      tool
    )
  }
})

t.test('search', async t => {
  const found = await ok(app, 'search_context', {
    session_id,
    query: 'needle',
    limit: 100,
    context: 5,
    fuzzy_threshold: 0
  })
  t.ok(sizeOf(found) <= MOST, `${sizeOf(found)} bytes`)
  t.ok(found.message_count >= 1)
  t.equal(found.has_more, true)
  t.equal(
    (await ok(app, 'search_context', { session_id, query: 'needle', limit: 2, fuzzy_threshold: 0 })).has_more,
    undefined
  )
})

t.test('lists of sessions', async t => {
  const metadata = Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`k${i}`, '世'.repeat(3300)]))
  for (let i = 0; i < 300; i++) await ok(app, 'create_session', { purpose: 'large', metadata }, { agent_id: 'many' })
  const pages = await pagesOf(fronts(app).REST, 'list_sessions', { created_by: 'many', limit: 200 })
  for (const page of pages) t.ok(sizeOf(page) <= MOST)
  t.equal(new Set(pages.flatMap(page => page.sessions).map(({ id }: any) => id)).size, 300)
})
