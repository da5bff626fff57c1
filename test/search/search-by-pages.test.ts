import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { fronts, pagesOf, tamperedWith } from '../support/pages.js'
import { isFailure } from '../support/failure.js'

/** The pages of search_by_sender and search_by_timerange, while others write. */

const app = await startApp(t)

const WRITTEN = 2500
const session_id = await newSession(app)
for (let n = 0; n < WRITTEN; n += 100)
  await ok(
    app,
    'add_messages',
    { session_id, messages: Array.from({ length: 100 }, (_, i) => ({ content: `${n + i}` })) },
    { agent_id: (n / 100) % 5 === 0 ? 'bob' : 'ann' }
  )
// Many of one moment, so that the time alone is no place.
await app.database.db
  .updateTable('messages')
  .set({ timestamp: '2026-01-31T00:00:00.000Z' })
  .where('seq', '<=', 1000)
  .execute()

const LISTS: Array<[tool: string, args: Record<string, unknown>, limit: number]> = [
  ['search_by_sender', { session_id, sender: 'ann' }, 100],
  ['search_by_timerange', { session_id, start_time: '2026-01-01', end_time: '2999-01-01' }, 200]
]

for (const [tool, args, limit] of LISTS) {
  for (const [front, ask] of Object.entries(fronts(app, { agent_id: 'reader' }))) {
    t.test(`${tool} over ${front}: every message once, in order, while others write`, async t => {
      const before = (
        await app.database.db
          .selectFrom('messages')
          .select(['id', 'sender'])
          .where('session_id', '=', session_id)
          .execute()
      ).filter(({ sender }) => tool !== 'search_by_sender' || sender === 'ann')
      let stopped = false
      let written = 0
      const writers = ['ann', 'bob'].map(async agent_id => {
        for (; !stopped; written++) await ok(app, 'add_message', { session_id, content: 'more' }, { agent_id })
      })
      const pages = await pagesOf(ask, tool, { ...args, limit }, async () => new Promise(done => setTimeout(done, 10)))
      stopped = true
      await Promise.all(writers)
      const found = pages.flatMap(page => page.messages)
      const ids = found.map(({ id }) => id as number)
      t.ok(written > 10, `${written} were written meanwhile`)
      t.ok(pages.length > 10, `${pages.length} pages`)
      t.equal(new Set(ids).size, ids.length, 'none comes twice')
      t.same(
        before.filter(({ id }) => !ids.includes(id)),
        [],
        'none is lost'
      )
      const places = found.map(({ timestamp, seq }) => [timestamp, seq] as [string, number])
      const inOrder = [...places].sort(([a, m], [b, n]) =>
        tool === 'search_by_sender' ? n - m : a === b ? m - n : a < b ? -1 : 1
      )
      t.same(places, inOrder, 'in the order of the list')
    })
  }

  t.test(`${tool}: the last page says so`, async t => {
    const some = await newSession(app)
    await ok(app, 'add_messages', { session_id: some, messages: [1, 2, 3, 4].map(n => ({ content: `${n}` })) })
    const sizes = async (limit: number) =>
      (
        await pagesOf(fronts(app).REST, tool, {
          ...args,
          session_id: some,
          ...('sender' in args && { sender: 'agent-1' }),
          limit
        })
      ).map(page => [page.count, page.messages.length])
    t.same(
      await sizes(2),
      [
        [2, 2],
        [2, 2]
      ],
      'no empty page at the end'
    )
    t.same(await sizes(3), [
      [3, 3],
      [1, 1]
    ])
    t.same(await sizes(4), [[4, 4]])
  })

  t.test(`${tool}: a cursor that was tampered with, or is another list's`, async t => {
    const { next_cursor } = await ok(app, tool, { ...args, limit: 5 })
    const other = LISTS.find(([name]) => name !== tool)
    const others = (await ok(app, other?.[0] as string, { ...other?.[1], limit: 5 })).next_cursor as string
    for (const cursor of [...tamperedWith(next_cursor), others]) {
      const answer = await call(app, tool, { ...args, cursor })
      isFailure(t, answer, 'INVALID_INPUT', cursor)
      t.match(answer.body, { error: /is not a next_cursor of this tool/, context: { argument: 'cursor' } })
    }
    const elsewhere = await newSession(app)
    isFailure(
      t,
      await call(app, tool, { ...args, session_id: elsewhere, cursor: next_cursor }),
      'INVALID_INPUT',
      'another session'
    )
    t.equal((await ok(app, tool, { ...args, cursor: next_cursor, limit: 1 })).count, 1, 'another limit is fine')
  })
}
