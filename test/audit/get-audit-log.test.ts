import { randomUUID } from 'node:crypto'
import t from 'tap'
import { connectAsOwner } from '../../src/postgres/connect.js'
import { createDatabase } from '../support/cluster.js'
import { API_KEY, call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { optionsFor } from '../support/database.js'

const app = await startApp(t)
const ADMIN = { agent_id: 'boss', admin: true }

async function log(args: Record<string, unknown> = {}): Promise<any> {
  return ok(app, 'get_audit_log', args, ADMIN)
}

t.test('filters and pages', async t => {
  const session_id = await newSession(app, { agent_id: 'ann' })
  const ids: number[] = []
  for (let i = 0; i < 7; i++)
    ids.push(
      (await ok(app, 'add_message', { session_id, content: 'x' }, { agent_id: i % 2 === 0 ? 'ann' : 'bob' })).message_id
    )
  await ok(app, 'update_session', { session_id, is_active: false }, { agent_id: 'ann' })

  const { entries, count, has_more, next_cursor } = await log({ session_id })
  t.same([entries.length, count, has_more, next_cursor], [9, 9, false, null])
  t.same(
    entries.map((entry: any) => entry.event_type),
    ['session_closed', ...Array(7).fill('message_added'), 'session_created'],
    'newest first'
  )
  t.match(entries[1], {
    agent_id: 'ann',
    session_id,
    action: 'add_message',
    resource: `message:${ids[6]}`,
    result: 'success',
    request_id: /./,
    metadata: {},
    timestamp: /Z$/
  })
  t.same(
    (await log({ session_id, agent_id: 'bob' })).entries.map((entry: any) => entry.resource),
    [ids[5], ids[3], ids[1]].map(id => `message:${id}`)
  )
  t.equal((await log({ session_id, event_type: 'message_added' })).count, 7)
  t.equal((await log({ session_id, event_type: 'no_such_event' })).count, 0)
  const [from, to] = [entries[6].timestamp, entries[2].timestamp]
  t.same(
    (await log({ session_id, start_time: from, end_time: to })).entries,
    entries.filter((entry: any) => entry.timestamp >= from && entry.timestamp <= to)
  )
  t.equal((await log({ session_id, end_time: '2020-01-01' })).count, 0)
  isFailure(t, await call(app, 'get_audit_log', { start_time: 'then' }, ADMIN), 'INVALID_DATETIME')

  for (const limit of [1, 4, 9]) {
    const read: any[] = []
    for (let cursor: string | null = null, more = true; more;) {
      const page: any = await log({ session_id, limit, cursor })
      read.push(...page.entries)
      cursor = page.next_cursor
      more = page.has_more
    }
    t.same(read, entries, `${limit} at a time`)
  }
  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const cursor of [
    'x',
    made([1, 2]),
    made(['2026-01-01T00:00:00.000Z', 'text']),
    made(['2026-01-01T00:00:00.000Z', 1e300]),
    made(['+275760-09-13T00:00:00.000Z', 1])
  ]) {
    isFailure(t, await call(app, 'get_audit_log', { cursor }, ADMIN), 'INVALID_INPUT')
  }
})

t.test('rows of one moment have an order too', async t => {
  const session_id = await newSession(app)
  await ok(app, 'add_messages', { session_id, messages: Array.from({ length: 12 }, () => ({ content: 'x' })) })
  // As only the tables' owner can.
  await app.database.pool.query('alter table audit_log disable trigger append_only')
  await app.database.db
    .updateTable('audit_log')
    .set({ timestamp: '2026-01-01T00:00:00.000Z' })
    .where('session_id', '=', session_id)
    .where('id', '>', 0)
    .execute()
  await app.database.pool.query('alter table audit_log enable trigger append_only')
  const read: number[] = []
  for (let cursor: string | null = null, more = true; more;) {
    const page: any = await log({ session_id, limit: 5, cursor })
    read.push(...page.entries.map((entry: any) => entry.id))
    cursor = page.next_cursor
    more = page.has_more
  }
  t.equal(read.length, 13)
  t.same(
    read,
    [...new Set(read)].sort((a, b) => b - a)
  )
})

t.test('a page stops at 8 MiB', async t => {
  const row = { workspace: 'default', event_type: 'large', action: 'test', result: 'success' }
  const metadata = JSON.stringify({ text: 'x'.repeat(1024 * 1024) })
  for (let n = 0; n < 12; n++)
    await app.database.db
      .insertInto('audit_log')
      .values({ ...row, request_id: `large-${n}`, metadata })
      .execute()
  const page = await log({ event_type: 'large' })
  t.same([page.count, page.has_more], [7, true])
  const rest = await log({ event_type: 'large', cursor: page.next_cursor })
  t.same([rest.count, rest.has_more], [5, false])
})

t.test('who reads it is in it', async t => {
  const session_id = await newSession(app)
  await log({ session_id, agent_id: 'somebody' })
  t.match((await log({ event_type: 'audit_read', limit: 1 })).entries, [
    { agent_id: 'boss', metadata: { session_id, of_agent: 'somebody' } }
  ])
  await ok(app, 'get_performance_metrics', {}, ADMIN)
  t.match((await log({ event_type: 'metrics_read', limit: 1 })).entries, [
    { agent_id: 'boss', action: 'get_performance_metrics' }
  ])
})

t.test('ordinary reads and failed writes leave no row', async t => {
  const session_id = await newSession(app)
  const before = (await log({ agent_id: 'quiet' })).count
  for (const tool of ['get_session', 'get_messages']) await ok(app, tool, { session_id }, { agent_id: 'quiet' })
  await call(app, 'add_message', { session_id, content: '' }, { agent_id: 'quiet' })
  await call(app, 'add_message', { session_id: 'nowhere', content: 'x' }, { agent_id: 'quiet' })
  await call(
    app,
    'add_messages',
    { session_id, messages: [{ content: 'x', parent_message_id: 999_999_999 }] },
    { agent_id: 'quiet' }
  )
  await call(app, 'list_sessions', {}, { anonymous: true })
  t.equal((await log({ agent_id: 'quiet' })).count, before)
})

t.test('refusals: a row each, after ten of one kind in a minute one with the rest', async t => {
  const own = await createDatabase()
  const busy = await startApp(t, {}, { url: own.url })
  t.teardown(own.drop)
  const attempt = (agent_id: string) =>
    call(
      busy,
      'authenticate_agent',
      { agent_id, agent_type: 'x', api_key: 'a wrong key 0123456789' },
      { anonymous: true }
    )
  for (let i = 0; i < 25; i++) isFailure(t, await attempt('mallory'), 'INVALID_API_KEY')
  for (let i = 0; i < 3; i++) await attempt('trudy')
  for (let i = 0; i < 12; i++)
    isFailure(
      t,
      await call(busy, 'get_audit_log', {}, { agent_id: 'curious', headers: { 'x-request-id': randomUUID() } }),
      'PERMISSION_DENIED'
    )
  isFailure(t, await call(busy, 'list_sessions', {}, { token: 'None' }), 'INVALID_TOKEN')
  await busy.server.close()

  const database = connectAsOwner(optionsFor(own.url, { max: 1 }))
  t.teardown(database.close)
  const rows = await database.db
    .selectFrom('audit_log')
    .select(['event_type', 'agent_id', 'action', 'result', 'metadata'])
    .orderBy('id')
    .execute()
  const of = (event_type: string, holds: (row: any) => boolean) =>
    rows.filter(row => row.event_type === event_type && holds(row))
  const mallory = of('credential_refused', row => row.metadata.claimed_agent_id === 'mallory')
  t.equal(mallory.length, 11)
  t.match(mallory[0], {
    agent_id: null,
    action: 'authenticate_agent',
    result: 'refused',
    metadata: { code: 'INVALID_API_KEY', address: '127.0.0.1' }
  })
  t.match(
    mallory.find(row => 'further_in_this_minute' in row.metadata),
    { metadata: { further_in_this_minute: 18 } }
  )
  t.equal(
    of('credential_refused', row => row.metadata.claimed_agent_id === 'trudy').length,
    0,
    'a name that anybody may claim makes no kind of its own'
  )
  const curious = of('permission_denied', row => row.agent_id === 'curious')
  t.equal(curious.length, 11)
  t.match(
    curious.find(row => 'further_in_this_minute' in row.metadata),
    { action: 'get_audit_log', metadata: { further_in_this_minute: 2 } }
  )
  t.equal(of('credential_refused', row => row.metadata.code === 'INVALID_TOKEN').length, 1)
  t.notOk(JSON.stringify(rows).includes('a wrong key') || JSON.stringify(rows).includes(API_KEY), 'no key')
})
