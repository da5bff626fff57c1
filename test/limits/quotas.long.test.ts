import { sql } from 'kysely'
import t, { type Test } from 'tap'
import {
  type Answer,
  call,
  credentials,
  environment,
  newSession,
  ok,
  runToEnd,
  startApp,
  type TestApp
} from '../helper.js'
import { callTool } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'

/** How much may be stored: each quota at its edge, over both fronts, and from two replicas at once. */

function isFull(t: Test, answer: Answer, quota: string, limit: number): void {
  isFailure(t, answer, 'QUOTA_EXCEEDED', quota)
  t.same(answer.body.context, { quota, limit })
  t.notOk('retry_after' in answer.body, 'waiting does not help')
}

async function isFullOverMcp(
  t: Test,
  app: TestApp,
  tool: string,
  args: unknown,
  quota: string,
  limit: number
): Promise<void> {
  for (const era of ['legacy', 'modern'] as const) {
    t.match(await callTool(app, era, tool, args, credentials({})), {
      isError: true,
      said: { code: 'QUOTA_EXCEEDED', context: { quota, limit } }
    })
  }
}

/** Two replicas on one database. */
async function two(t: Test, env: Record<string, string>): Promise<[TestApp, TestApp]> {
  const app = await startApp(t, env)
  return [app, await startApp(t, env, app)]
}

/** Many calls at once, from both in turns. @returns how many succeeded; the others must be QUOTA_EXCEEDED */
async function rush(
  t: Test,
  apps: TestApp[],
  count: number,
  tool: string,
  args: (n: number) => unknown
): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) => call(apps[n % apps.length] as TestApp, tool, args(n)))
  )
  const refused = answers.filter(({ status }) => status !== 200)
  t.same(
    refused.filter(({ body }) => body.code !== 'QUOTA_EXCEEDED').map(({ body }) => body),
    []
  )
  return count - refused.length
}

async function rows(app: TestApp, table: string): Promise<number> {
  const {
    rows: [row]
  } = await app.database.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)
  return row?.count as number
}

t.test('sessions of a workspace', async t => {
  const apps = await two(t, { QUOTA_SESSIONS: '10' })
  const [app] = apps
  for (let i = 0; i < 3; i++) await newSession(app)
  t.equal(await rush(t, apps, 30, 'create_session', n => ({ purpose: `rush ${n}` })), 7)
  isFull(t, await call(app, 'create_session', { purpose: 'one more' }), 'sessions', 10)
  isFull(t, await call(app, 'create_session', { purpose: 'one more', idempotency_key: 'k' }), 'sessions', 10)
  await isFullOverMcp(t, app, 'create_session', { purpose: 'one more' }, 'sessions', 10)
  t.equal(await rows(app, 'sessions'), 10)
  await app.database.pool.query('delete from sessions where id in (select id from sessions limit 2)')
  t.equal(await rush(t, apps, 5, 'create_session', () => ({ purpose: 'again' })), 2, 'what is deleted makes room')
})

t.test('messages of a session', async t => {
  const apps = await two(t, { QUOTA_SESSION_MESSAGES: '100' })
  const [app] = apps
  const session_id = await newSession(app)
  const other = await newSession(app)
  t.equal(await rush(t, apps, 150, 'add_message', n => ({ session_id, content: `message ${n}` })), 100)
  isFull(t, await call(app, 'add_message', { session_id, content: 'one more' }), 'session_messages', 100)
  isFull(
    t,
    await call(app, 'add_message', { session_id, content: 'one more', idempotency_key: 'k' }),
    'session_messages',
    100
  )
  isFull(
    t,
    await call(app, 'add_messages', { session_id, messages: [{ content: 'one more' }] }),
    'session_messages',
    100
  )
  await isFullOverMcp(t, app, 'add_message', { session_id, content: 'one more' }, 'session_messages', 100)
  t.equal((await ok(app, 'get_messages', { session_id })).total_count, 100)

  const mixed = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      call(apps[n % 2] as TestApp, 'add_message', { session_id: n % 2 === 0 ? session_id : other, content: 'x' })
    )
  )
  t.equal(
    mixed.filter(({ status }) => status === 200).length,
    30,
    'a full session keeps no other from being written to'
  )
})

t.test('add_messages is written whole or not at all at the edge, and repeats are still answered', async t => {
  const [app] = await two(t, { QUOTA_SESSION_MESSAGES: '10' })
  const session_id = await newSession(app)
  const batch = (n: number) => ({ session_id, messages: Array.from({ length: n }, (_, i) => ({ content: `${i}` })) })
  const first = await ok(app, 'add_messages', { ...batch(7), idempotency_key: 'first' })
  isFull(t, await call(app, 'add_messages', batch(4)), 'session_messages', 10)
  t.equal((await ok(app, 'add_messages', batch(3))).count, 3)
  isFull(t, await call(app, 'add_messages', batch(1)), 'session_messages', 10)
  t.same(await ok(app, 'add_messages', { ...batch(7), idempotency_key: 'first' }), first)
  t.same(
    (await ok(app, 'get_messages', { session_id, order: 'asc' })).messages.map(({ seq }: { seq: number }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  )
})

t.test('bytes of a session', async t => {
  const apps = await two(t, { QUOTA_SESSION_BYTES: '20000' })
  const [app] = apps
  const session_id = await newSession(app)
  const through = await rush(t, apps, 60, 'add_message', () => ({ session_id, content: '界'.repeat(300) }))
  t.ok(through >= 20 && through <= 22, `${through} of 900 bytes and their metadata`)
  isFull(t, await call(app, 'add_message', { session_id, content: 'x'.repeat(2000) }), 'session_bytes', 20_000)
  await isFullOverMcp(
    t,
    app,
    'add_messages',
    { session_id, messages: [{ content: 'x', metadata: { long: 'x'.repeat(5000) } }] },
    'session_bytes',
    20_000
  )
  const {
    rows: [row]
  } = await app.database.pool.query<{ bytes: string; written: string }>(
    `
    select content_bytes as bytes, (select sum(octet_length(content)) from messages
      where session_id = sessions.id) as written from sessions where id = $1`,
    [session_id]
  )
  t.ok(
    Number(row?.bytes) <= 20_000 && Number(row?.bytes) >= Number(row?.written) && Number(row?.written) === through * 900
  )
})

t.test('values of an agent', async t => {
  const apps = await two(t, { QUOTA_MEMORY_ENTRIES: '10' })
  const [app] = apps
  t.equal(await rush(t, apps, 25, 'set_memory', n => ({ key: `key ${n}`, value: n })), 10)
  const {
    entries: [{ key }]
  } = await ok(app, 'list_memory')
  isFull(t, await call(app, 'set_memory', { key: 'one more', value: 1 }), 'memory_entries', 10)
  isFull(
    t,
    await call(app, 'set_memory', { key: 'one more', value: 1, session_id: await newSession(app) }),
    'memory_entries',
    10
  )
  await isFullOverMcp(t, app, 'set_memory', { key: 'one more', value: 1 }, 'memory_entries', 10)
  await ok(app, 'set_memory', { key, value: 'another value' })
  await ok(app, 'set_memory', { key: 'mine', value: 1 }, { agent_id: 'another agent' })
  await ok(app, 'delete_memory', { key })
  t.equal(await rush(t, apps, 5, 'set_memory', n => ({ key: `again ${n}`, value: n })), 1)
  t.equal((await ok(app, 'list_memory')).count, 10)
})

t.test('what has expired takes no room, whether it has been swept or not', async t => {
  const app = await startApp(t, { QUOTA_MEMORY_ENTRIES: '3' })
  for (let i = 0; i < 3; i++) await ok(app, 'set_memory', { key: `short ${i}`, value: i, expires_in: 1000 })
  isFull(t, await call(app, 'set_memory', { key: 'long', value: 1 }), 'memory_entries', 3)
  await app.database.db
    .updateTable('agent_memory')
    .set({ expires_at: sql<string>`clock_timestamp() - interval '1 second'` })
    .execute()
  for (let i = 0; i < 3; i++) await ok(app, 'set_memory', { key: `long ${i}`, value: i })
  isFull(t, await call(app, 'set_memory', { key: 'long', value: 1 }), 'memory_entries', 3)
})

t.test('an imported session counts as one that was written: all of it or nothing', async t => {
  const admin = { admin: true, agent_id: 'boss' }
  const source = await startApp(t)
  const transcript = async (messages: number, content = 'x') => {
    const session_id = await newSession(source)
    for (let left = messages; left > 0; left -= 100)
      await ok(source, 'add_messages', {
        session_id,
        messages: Array.from({ length: Math.min(left, 100) }, () => ({ content }))
      })
    return (await ok(source, 'export_session', { session_id, limit: 1000 })).ndjson as string
  }
  const [few, exact, many, long] = [
    await transcript(3),
    await transcript(600),
    await transcript(601),
    await transcript(10, 'x'.repeat(9000))
  ]
  const env = { QUOTA_SESSIONS: '3', QUOTA_SESSION_MESSAGES: '600', QUOTA_SESSION_BYTES: '50000' }
  const apps = await two(t, env)
  const [app] = apps
  const counts = async () => [
    await rows(app, 'sessions'),
    await rows(app, 'messages'),
    await rows(app, 'search_pending'),
    await rows(app, 'audit_log')
  ]

  await newSession(app)
  const before = await counts()
  isFull(t, await call(app, 'import_session', { ndjson: many }, admin), 'session_messages', 600)
  isFull(t, await call(app, 'import_session', { ndjson: many, idempotency_key: 'k' }, admin), 'session_messages', 600)
  isFull(t, await call(app, 'import_session', { ndjson: long }, admin), 'session_bytes', 50_000)
  t.match(await callTool(app, 'modern', 'import_session', { ndjson: long }, credentials(admin)), {
    isError: true,
    said: { code: 'QUOTA_EXCEEDED' }
  })
  const command = (ndjson: string, more = {}) =>
    runToEnd(['session', 'import', '-'], environment(app.url, { ...env, ...more }), { input: ndjson })
  t.match(await command(long), { code: 1, stdout: '', stderr: /than a session may hold: 50000/ })
  t.same(await counts(), before, 'nothing is left of any of them')

  const { session_id } = await ok(app, 'import_session', { ndjson: exact, idempotency_key: 'k' }, admin)
  isFull(t, await call(app, 'add_message', { session_id, content: 'one more' }), 'session_messages', 600)
  const both = await Promise.all(apps.map(app => call(app, 'import_session', { ndjson: few }, admin)))
  t.same(both.map(({ status }) => status).sort(), [200, 429], 'of two at once there is room for one')
  isFull(t, both.find(({ status }) => status === 429) as Answer, 'sessions', 3)
  t.match(await command(few), { code: 1, stdout: '', stderr: /as many sessions as it may have: 3/ })
  t.same([await rows(app, 'sessions'), await rows(app, 'messages')], [3, 603])
  t.match(await command(few, { QUOTA_SESSIONS: '0' }), { code: 0, stdout: /^session_/ }, 'an operator who means to can')
})

t.test("bytes of an agent's memory", async t => {
  const apps = await two(t, { QUOTA_MEMORY_BYTES: '10000' })
  const [app] = apps
  // Two of the key, two quotation marks, two of the empty metadata.
  const of = (n: number, length: number) => ({ key: `k${n}`, value: 'x'.repeat(length - 2 - 2 - 2) })
  t.equal(await rush(t, apps, 9, 'set_memory', n => of(n, 2000)), 5)
  isFull(t, await call(app, 'set_memory', of(9, 7)), 'memory_bytes', 10_000)
  await isFullOverMcp(t, app, 'set_memory', of(9, 7), 'memory_bytes', 10_000)
  const { entries } = await ok(app, 'list_memory')
  const key = entries[0].key as string
  isFull(t, await call(app, 'set_memory', { key, value: 'x' }), 'memory_bytes', 10_000)
  // What is replaced is kept as an older version, until the value is deleted.
  await ok(app, 'delete_memory', { key })
  isFull(t, await call(app, 'set_memory', { key, value: 'x'.repeat(1995) }), 'memory_bytes', 10_000)
  await ok(app, 'set_memory', { key, value: 'x'.repeat(1994) })
  await ok(app, 'delete_memory', { key })
  await ok(app, 'set_memory', { key, value: 'x'.repeat(994) })
  await ok(app, 'set_memory', of(9, 1000))
  isFull(t, await call(app, 'set_memory', { key: 'zz', value: 'x' }), 'memory_bytes', 10_000)
})

t.test('tasks of a workspace that are not done', async t => {
  const apps = await two(t, { QUOTA_TASKS: '20' })
  const [app] = apps
  t.equal(await rush(t, apps, 60, 'create_task', n => ({ title: `task ${n}` })), 20)
  const three = { tasks: [{ title: 'a' }, { title: 'b' }, { title: 'c' }] }
  isFull(t, await call(app, 'create_task', { title: 'one more', idempotency_key: 'k' }), 'tasks', 20)
  isFull(t, await call(app, 'create_tasks', three), 'tasks', 20)
  await isFullOverMcp(t, app, 'create_task', { title: 'one more' }, 'tasks', 20)
  t.equal(await rows(app, 'tasks'), 20, 'nothing of a call that is refused was written')

  const { task, lease } = await ok(app, 'claim_task', {})
  isFull(t, await call(app, 'create_task', { title: 'one more' }), 'tasks', 20)
  const { task_id } = task
  await ok(app, 'complete_task', { task_id, lease_token: lease.token })
  await ok(app, 'cancel_task', { task_id: (await ok(app, 'list_tasks', { state: 'submitted' })).tasks[0].task_id })
  isFull(t, await call(app, 'create_tasks', three), 'tasks', 20)
  t.equal(await rush(t, apps, 10, 'create_task', () => ({ title: 'again' })), 2, 'what is done makes room')
})

t.test('what is counted stays true, whatever changes it', async t => {
  const app = await startApp(t)
  const sessions = [await newSession(app), await newSession(app)]
  await Promise.all(
    Array.from({ length: 120 }, async (_, n) => {
      const key = `key ${n % 7}`
      const as = { agent_id: `agent-${n % 3}` }
      if (n % 5 === 4) return call(app, 'delete_memory', { key }, as)
      return call(
        app,
        'set_memory',
        {
          key,
          value: 'x'.repeat(n),
          metadata: { n },
          ...(n % 2 === 0 && { session_id: sessions[(n % 4) / 2] }),
          ...(n % 3 === 0 && { expires_in: 1 })
        },
        as
      )
    })
  )
  await new Promise(resolve => setTimeout(resolve, 1050))
  const { sweep } = await import('../../src/lifecycle/sweep.js')
  await sweep(app.database.db)
  const { rows: wrong } = await app.database.pool.query(`
    select * from (select agent_id, sum(n) as entries, sum(size) as bytes from (
        select agent_id, 1 as n, value_size + octet_length(key) + octet_length(metadata::text) as size from agent_memory
        union all select agent_id, 0, value_size + octet_length(key) from memory_history) counted
      group by agent_id) is_there
    full join memory_usage counted using (agent_id)
    where coalesce(is_there.entries, 0) <> counted.entries or coalesce(is_there.bytes, 0) <> counted.bytes
      or counted.agent_id is null`)
  t.same(wrong, [])
  t.same((await app.database.pool.query('select sessions::int from workspace_usage')).rows, [{ sessions: 2 }])
})

t.test('0 is no quota', async t => {
  const app = await startApp(t, {
    QUOTA_SESSIONS: '0',
    QUOTA_SESSION_MESSAGES: '0',
    QUOTA_SESSION_BYTES: '0',
    QUOTA_MEMORY_ENTRIES: '0',
    QUOTA_MEMORY_BYTES: '0',
    QUOTA_TASKS: '0'
  })
  const session_id = await newSession(app)
  await ok(app, 'add_message', { session_id, content: 'x' })
  await ok(app, 'set_memory', { key: 'k', value: 1 })
  await ok(app, 'create_task', { title: 't' })
})
