import t from 'tap'
import { sealCursor } from '../../src/kernel/cursor.js'
import { call, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

const app = await startApp(t)
const opened: string[] = []
for (let i = 0; i < 23; i++) {
  const { session_id } = await ok(
    app,
    'create_session',
    { purpose: `${i % 2 === 0 ? 'Research' : 'Cooking'} number ${i}, 100%_done` },
    { agent_id: i % 3 === 0 ? 'ann' : 'bob' }
  )
  opened.push(session_id)
}
for (const i of [4, 9]) await ok(app, 'update_session', { session_id: opened[i], is_active: false }, { admin: true })
const newestFirst = [...opened].reverse()

async function ids(args: Record<string, unknown> = {}): Promise<string[]> {
  return (await ok(app, 'list_sessions', { limit: 200, ...args })).sessions.map((session: any) => session.id)
}

t.test('newest first, page by page, each once', async t => {
  t.same(await ids(), newestFirst)
  for (const limit of [1, 5, 22, 23, 24]) {
    const read: string[] = []
    for (let cursor: string | null = null, more = true; more;) {
      const answer: any = await ok(app, 'list_sessions', { limit, cursor })
      t.equal(answer.count, answer.sessions.length)
      t.equal(answer.has_more, answer.next_cursor !== null)
      read.push(...answer.sessions.map((session: any) => session.id))
      cursor = answer.next_cursor
      more = answer.has_more
    }
    t.same(read, newestFirst, `${limit} at a time`)
  }
})

t.test('a page goes on from where it was, whatever is opened meanwhile', async t => {
  const first = await ok(app, 'list_sessions', { limit: 5, created_by: 'ann' })
  await ok(app, 'create_session', { purpose: 'a late one' }, { agent_id: 'ann' })
  const rest = await ok(app, 'list_sessions', { cursor: first.next_cursor, created_by: 'ann' })
  t.same(
    [...first.sessions, ...rest.sessions].map((session: any) => session.id),
    newestFirst.filter(id => opened.indexOf(id) % 3 === 0)
  )
})

t.test('filters', async t => {
  t.same(
    await ids({ created_by: 'bob' }),
    newestFirst.filter(id => opened.indexOf(id) % 3 !== 0)
  )
  t.same(await ids({ created_by: 'BOB' }), [])
  t.same(await ids({ active: false }), [opened[9], opened[4]])
  t.same((await ids({ active: true })).length, 22)
  t.same(await ids({ query: 'cooking number', active: false }), [opened[9]], 'all of them hold')
  t.same((await ids({ query: 'RESEARCH' })).length, 12, 'whatever the case')
  t.same((await ids({ query: 'Cooking numbr' })).length, 11, 'a typing error')
  t.same(await ids({ query: 'Reserch number 2' }), [opened[2]], 'numbers are as given')
  t.same((await ids({ query: '100%_' })).length, 23, '% and _ are characters')
  t.same(await ids({ query: 'R%h' }), [])
  t.same(await ids({ query: opened[7] }), [opened[7]], 'an id')
  t.same((await ids({ query: '  ' })).length, 24, 'an empty query is none')
  t.same(await ids({ query: "'; drop table sessions; --" }), [])
})

t.test('a cursor that was tampered with', async t => {
  const { next_cursor } = await ok(app, 'list_sessions', { limit: 1 })
  const audit = (await ok(app, 'get_audit_log', { limit: 1 }, { admin: true })).next_cursor
  /** As somebody makes it up who knows how a cursor is checked. */
  const made = (place: any) => sealCursor(['list_sessions', undefined, undefined, false, undefined, undefined], place)
  for (const cursor of [
    'nonsense',
    '%%%',
    `${next_cursor.slice(0, -4)}`,
    audit,
    made(null),
    made([]),
    made({}),
    made(['now', 'session_x']),
    made(['2026-01-01', 'x']),
    made([0, 1]),
    made(['2026-01-01T00:00:00.000Z', 5]),
    made(['+275760-09-13T00:00:00.000Z', 'session_x']),
    made(['-000001-01-01T00:00:00.000Z', 'session_x']),
    made(['0000-01-01T00:00:00.000Z', 'session_x']),
    made(['2026-01-01T00:00:00.000Z', 'a\u0000b']),
    made(['2026-01-01T00:00:00.000Z', '\ud800'])
  ])
    isFailure(t, await call(app, 'list_sessions', { cursor }), 'INVALID_INPUT', cursor)
  t.ok((await ok(app, 'list_sessions', { cursor: '' })).sessions.length > 0, 'an empty cursor is none')
  t.same(
    (await ok(app, 'list_sessions', { cursor: made(['2000-01-01T00:00:00.000Z', "x' or true --"]) })).sessions,
    [],
    'a well-formed one is just a place'
  )
})

t.test('statistics are those of the viewer', async t => {
  const session_id = opened[0] as string
  await ok(app, 'add_message', { session_id, content: 'for all' }, { agent_id: 'ann' })
  await ok(app, 'add_message', { session_id, content: 'for me', visibility: 'private' }, { agent_id: 'ann' })
  const of = async (agent_id: string) =>
    (await ok(app, 'list_sessions', { query: session_id }, { agent_id })).sessions[0]
  t.match([await of('ann'), await of('bob')], [{ message_count: 2 }, { message_count: 1 }])
})

t.test('sessions of one moment have an order too', async t => {
  await app.database.db.updateTable('sessions').set({ created_at: '2026-01-01T00:00:00.000Z' }).execute()
  const all = await ids()
  const read: string[] = []
  for (let cursor: string | null = null, more = true; more;) {
    const page: any = await ok(app, 'list_sessions', { limit: 7, cursor })
    read.push(...page.sessions.map((session: any) => session.id))
    cursor = page.next_cursor
    more = page.has_more
  }
  t.same(read, [...all].sort().reverse())
})
