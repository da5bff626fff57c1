import t, { type Test } from 'tap'
import { sweep } from '../../src/lifecycle/sweep.js'
import { ADMIN_API_KEY, type As, call, newSession, ok, startApp, type TestApp } from '../helper.js'

/** Who is in a session: told from calls, nothing else. */

const app = await startApp(t)
const VIEWER: As = { agent_id: 'a-viewer', agent_type: 'eyes' }

async function present(session_id: string, as: As = VIEWER, on: TestApp = app): Promise<any[]> {
  return (await ok(on, 'get_session', { session_id }, as)).session.present
}

const others = (there: any[]) =>
  there
    .map(one => one.agent_id as string)
    .filter(id => id !== VIEWER.agent_id)
    .sort()

/** Waits until what is noted off the requests' path is there. */
async function eventually(t: Test, read: () => Promise<any[]>, expected: string[], what: string): Promise<any[]> {
  for (let tries = 0; ; tries++) {
    const there = await read()
    if (tries === 300 || JSON.stringify(others(there)) === JSON.stringify(expected)) {
      t.same(others(there), expected, what)
      return there
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

t.test('whoever calls something about a session is in it, on every replica', async t => {
  const replica = await startApp(t, {}, { url: app.url })
  const session_id = await newSession(app, { agent_id: 'opener', agent_type: 'x' })
  const { message_id } = await ok(
    app,
    'add_message',
    { session_id, content: 'c' },
    { agent_id: 'writer', agent_type: 'y' }
  )
  await ok(replica, 'get_messages', { session_id }, { agent_id: 'reader' })
  await ok(replica, 'search_context', { session_id, query: 'c' }, { agent_id: 'searcher' })
  await ok(app, 'set_message_visibility', { message_id, visibility: 'public' }, { agent_id: 'changer', admin: true })
  const expected = ['changer', 'opener', 'reader', 'searcher', 'writer']
  const there = await eventually(t, () => present(session_id), expected, 'all are')
  t.same(others(await present(session_id, VIEWER, replica)), expected)
  t.match(
    there.find(one => one.agent_id === 'writer'),
    { agent_id: 'writer', agent_type: 'y', last_seen_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ }
  )
  t.match(there[0], { agent_id: 'a-viewer', agent_type: 'eyes' }, 'who asks is there too, and first')
  t.same(
    [...there].sort((a, b) => (a.last_seen_at < b.last_seen_at ? 1 : -1)).map(one => one.last_seen_at),
    there.map(one => one.last_seen_at),
    'the last seen first'
  )
})

t.test('who is not', async t => {
  const session_id = await newSession(app, { agent_id: 'opener' })
  const other = await newSession(app, { agent_id: 'opener' })
  await call(
    app,
    'get_session',
    { session_id },
    { anonymous: true, headers: { 'x-api-key': 'wrong', 'x-agent-id': 'intruder' } }
  )
  await call(app, 'add_message', { session_id, content: '' }, { agent_id: 'refused' })
  await ok(app, 'list_sessions', {}, { agent_id: 'lister' })
  await ok(app, 'get_session', { session_id: other }, { agent_id: 'elsewhere' })
  await ok(app, 'get_audit_log', { session_id }, { agent_id: 'auditor', admin: true })
  await call(app, 'get_session', { session_id: 'session_00000000000000ff' }, { agent_id: 'lost' })
  await eventually(t, () => present(other), ['elsewhere', 'opener'], 'what was called is noted by now')
  t.same(others(await present(session_id)), ['opener'])
  t.same(
    others(await present(session_id, { agent_id: 'another' })).filter(id => id !== 'another'),
    ['opener']
  )
})

t.test('nothing is left of a session that does not exist', async t => {
  await ok(app, 'list_memory', { session_id: 'all' }, { agent_id: 'rememberer' })
  const session_id = await newSession(app, { agent_id: 'rememberer' })
  await eventually(t, () => present(session_id), ['rememberer'], 'what was called is noted by now')
  const rows = await app.database.db
    .selectFrom('session_presence')
    .select('session_id')
    .where('agent_id', '=', 'rememberer')
    .execute()
  t.same(rows, [{ session_id }])
})

t.test('whoever has not called for five minutes has left, and the row goes', async t => {
  const session_id = await newSession(app, { agent_id: 'opener' })
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  for (const [agent_id, minutes] of [
    ['just here', 4],
    ['gone', 6]
  ] as const) {
    await app.database.db
      .insertInto('session_presence')
      .values({ workspace: 'default', session_id, agent_id, agent_type: 'x', last_seen_at: at(minutes) })
      .execute()
  }
  await eventually(t, () => present(session_id), ['just here', 'opener'], 'but for one')
  await sweep(app.database.db)
  const rows = await app.database.db
    .selectFrom('session_presence')
    .select('agent_id')
    .where('session_id', '=', session_id)
    .where('agent_id', 'in', ['just here', 'gone'])
    .execute()
  t.same(rows, [{ agent_id: 'just here' }])
})

t.test('at most a hundred are named', async t => {
  const session_id = await newSession(app)
  await app.database.pool.query(
    'insert into session_presence (session_id, agent_id, agent_type, last_seen_at) select ' +
      "$1, 'crowd-' || n, 'x', now() - n * interval '1 second' from generate_series(1, 150) n",
    [session_id]
  )
  const there = await present(session_id)
  t.equal(there.length, 100)
  t.ok(
    there.some(one => one.agent_id === 'crowd-1') && !there.some(one => one.agent_id === 'crowd-150'),
    'the last seen'
  )
})

t.test('an agent that calls often is written once in a while', async t => {
  const session_id = await newSession(app, { agent_id: 'busy' })
  const seen = async () =>
    (await present(session_id)).find(one => one.agent_id === 'busy')?.last_seen_at as string | undefined
  await eventually(t, () => present(session_id), ['busy'], 'noted')
  const first = await seen()
  for (let i = 0; i < 20; i++) await ok(app, 'get_messages', { session_id }, { agent_id: 'busy' })
  await new Promise(resolve => setTimeout(resolve, 1500))
  t.equal(await seen(), first, 'not again within half a minute')
})

t.test("whoever may read is told, and nobody's key or token", async t => {
  const session_id = await newSession(app, { agent_id: 'opener', admin: true })
  const text = JSON.stringify(
    await eventually(
      t,
      () => present(session_id, { agent_id: 'a-viewer' }),
      ['opener'],
      'an ordinary agent sees an admin'
    )
  )
  t.notOk(text.includes(ADMIN_API_KEY))
  t.same(Object.keys((await present(session_id))[0]).sort(), ['agent_id', 'agent_type', 'last_seen_at'])
})
