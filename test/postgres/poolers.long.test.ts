import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { migrations } from '../../migrations/index.js'
import { upTo } from '../../src/postgres/migrate.js'
import { keepsNames } from '../../src/postgres/pooler.js'
import { inWorkspace } from '../../src/postgres/scope.js'
import { plannedEachTime, plannedOnce, withinASecond } from '../../src/postgres/statements.js'
import { call, environment, newSession, ok, runProgram, startApp, type TestApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { administer, migrated, openOwner, openService } from '../support/database.js'
import { openPgbouncer, pgbouncerVersion } from '../support/pgbouncer.js'
import { post, until } from '../support/rest.js'

/** The service behind a pooler that lends server connections for one transaction at a time. */

const version = pgbouncerVersion()
if (version === undefined) {
  t.comment('PgBouncer is not on this machine: nothing was tested behind a pooler')
  t.plan(0, 'there is no PgBouncer')
  process.exit(0)
}
t.comment(`PgBouncer ${version}`)

t.jobs = 3

/** An app on a database of its own, through a PgBouncer with few server connections. */
async function pooled(
  t: Test,
  more: Record<string, string> = {},
  settings: Record<string, string> = {}
): Promise<{ app: TestApp; url: string; direct: string; name: string }> {
  const { url: direct, name, drop } = await createDatabase()
  t.teardown(drop)
  await administer(direct, `alter database ${name} reset scs.workspace`)
  const url = await openPgbouncer(t, direct, { default_pool_size: '3', ...settings })
  return { app: await startApp(t, more, { url }), url, direct, name }
}

t.test('replicas that start at once migrate through it, and serve', async t => {
  const { url: direct, name, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  await administer(direct, `alter database ${name} reset scs.workspace`)
  const url = await openPgbouncer(t, direct)
  const [a, b] = await Promise.all([1, 2].map(() => runProgram(t, ['serve'], environment(url, { LOG_LEVEL: 'warn' }))))
  const { session_id } = await post(a?.url as string, 'create_session', { purpose: 'through a pooler' })
  const reader = { headers: { 'x-agent-id': 'reader' } }
  const waiting = post(b?.url as string, 'wait_for_messages', { session_id, timeout_seconds: 20 }, reader)
  for (let i = 0; i < 10; i++) {
    t.match(await post(a?.url as string, 'add_message', { session_id, content: `number ${i}` }), { status: 200 })
    t.match(await post(b?.url as string, 'get_messages', { session_id }), { status: 200, total_count: i + 1 })
    t.match(await post(b?.url as string, 'set_memory', { key: 'k', value: i }), { status: 200 })
    t.match(await post(a?.url as string, 'list_sessions', { query: 'poler' }), { status: 200, count: 1 })
  }
  t.match(await post(b?.url as string, 'search_context', { query: 'number' }), { status: 200, message_count: 10 })
  t.match(await waiting, { status: 200, timed_out: false }, 'a wait on one wakes from a message on the other')
  for (const program of [a, b])
    t.match(program?.output(), /leads through a pooler.*Set DATABASE_LISTEN_URL to an address of the server itself/)
})

t.test('a database in use is migrated through it, with indexes that are built meanwhile', async t => {
  const { url: direct, name, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  await administer(direct, `alter database ${name} reset scs.workspace`)
  t.ok(await upTo(openOwner(t, direct), '0018-seen-by-some'))
  const done = await migrated(await openPgbouncer(t, direct))
  t.match([done[0], done.at(-1)], ['0078-search-by-session', Object.keys(migrations).at(-1)])
  t.same(await administer(direct, 'select indexrelid::regclass from pg_index where not indisvalid'), [])
})

t.test('a statement that takes too long ends when it should, on the server too', async t => {
  const { app, direct, name } = await pooled(t, { STATEMENT_TIMEOUT_MS: '500' })
  const session_id = await newSession(app)
  const holder = new pg.Client({ connectionString: direct })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('begin; lock table messages in access exclusive mode')
  const at_once = await Promise.all(Array.from({ length: 3 }, () => call(app, 'get_messages', { session_id })))
  for (const { body } of at_once) t.equal(body.code, 'SERVICE_UNAVAILABLE', 'not that the database is away')
  const waiting = `select from pg_stat_activity where datname = '${name}' and wait_event_type = 'Lock'`
  await until('nothing waits on', async () => (await holder.query(waiting)).rowCount === 0)
  await holder.query('rollback')
  t.equal((await call(app, 'get_messages', { session_id })).status, 200)
})

t.test('nothing stays on a server connection', async t => {
  const { app, url, direct, name } = await pooled(t, {}, { default_pool_size: '2' })
  // A neighbour of the same pool, who relies on the settings of the database.
  await administer(direct, `alter database ${name} set timezone = 'Asia/Kathmandu'`)
  const session_id = await newSession(app)
  await Promise.all(Array.from({ length: 40 }, (_, n) => call(app, 'add_message', { session_id, content: `${n}` })))
  await ok(app, 'search_context', { session_id, query: '7' })
  const clients = await Promise.all(
    [1, 2].map(async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      t.teardown(() => client.end())
      await client.query('begin')
      return client
    })
  )
  const pids = new Set<number>()
  for (const client of clients) {
    const { rows } = await client.query(`
      select pg_backend_pid() as pid, current_user = session_user as itself,
             current_setting('scs.workspace', true) as workspace,
             current_setting('statement_timeout') as timeout, current_setting('search_path') as path,
             array(select pg_listening_channels()) as channels,
             (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
             array(select name from pg_prepared_statements where name not like 'PGBOUNCER%') as names`)
    t.match(rows, [
      {
        itself: true,
        workspace: /^$|null/,
        timeout: '0',
        path: '"$user", public',
        channels: [],
        locks: 0,
        names: []
      }
    ])
    pids.add(rows[0].pid)
  }
  t.equal(pids.size, 2, 'both server connections')
  for (const client of clients) await client.query('rollback')
})

t.test('each statement is for its own workspace', async t => {
  const { app } = await pooled(t, {}, { default_pool_size: '2' })
  const tokens = ['north', 'south'].map(
    workspace =>
      app.server.verifiers.tokens.sign(
        { workspace, agent_id: 'agent-1', agent_type: 'custom', permissions: ['read', 'write'] },
        workspace
      ).token
  )
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      call(app, 'create_session', { purpose: ['north', 'south'][n % 2] }, { token: tokens[n % 2] })
    )
  )
  t.same(
    answers.filter(({ status }) => status !== 200).map(({ body }) => body),
    []
  )
  for (const [n, purpose] of ['north', 'south'].entries()) {
    const { sessions } = await ok(app, 'list_sessions', { limit: 200 }, { token: tokens[n] })
    t.same([sessions.length, new Set(sessions.map((each: any) => each.purpose))], [30, new Set([purpose])])
  }
})

t.test('whatever the estate sets, and though it cannot be set for the session', async t => {
  const { url: direct, name, drop } = await createDatabase()
  t.teardown(drop)
  await administer(
    direct,
    ...[
      'reset scs.workspace',
      "set default_transaction_isolation = 'serializable'",
      "set datestyle = 'German'",
      'set row_security = off',
      "set search_path = 'pg_catalog'",
      'set standard_conforming_strings = off',
      'set gin_fuzzy_search_limit = 1',
      "set plan_cache_mode = 'force_generic_plan'",
      'set exit_on_error = on'
    ].map(setting => `alter database ${name} ${setting}`)
  )
  const app = await startApp(t, {}, { url: await openPgbouncer(t, direct) })
  const { session_id, created_at } = await ok(app, 'create_session', { purpose: 'x' })
  t.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const at_once = await Promise.all([
    ...Array.from({ length: 20 }, (_, n) => call(app, 'set_memory', { key: 'shared', value: n })),
    ...Array.from({ length: 10 }, (_, n) => call(app, 'update_session', { session_id, metadata: { n } })),
    ...Array.from({ length: 10 }, (_, n) => call(app, 'add_message', { session_id, content: `${n} \\ '` }))
  ])
  t.same(
    at_once.filter(({ status }) => status !== 200).map(({ body }) => body),
    []
  )
})

t.test('a statement with a time limit keeps it in the transaction of its own that it gets there', async t => {
  const { url: direct, name, drop } = await createDatabase()
  t.teardown(drop)
  const settings = ["default_transaction_isolation = 'serializable'", 'synchronous_commit = off', "work_mem = '64kB'"]
  await administer(direct, ...settings.map(setting => `alter database ${name} set ${setting}`))
  const { db } = openService(t, await openPgbouncer(t, direct), { max: 1 })
  const on = inWorkspace(db, 'w')
  const shown = sql<Record<string, string>>`
    select current_setting('statement_timeout') as limit, current_setting('plan_cache_mode') as plan,
      current_setting('transaction_isolation') as isolation, current_setting('synchronous_commit') as commit,
      current_setting('work_mem') as memory`
  const usual = { limit: '0', plan: 'auto', isolation: 'read committed', commit: 'local', memory: '4MB' }
  await t.rejects(withinASecond(on, sql`select pg_sleep(60)`), { code: '57014' }, 'it is ended')
  t.same((await withinASecond(on, shown)).rows, [{ ...usual, limit: '1s' }])
  t.same((await plannedOnce(on, shown)).rows, [{ ...usual, plan: 'force_generic_plan' }])
  t.same((await plannedEachTime(on, shown)).rows, [usual], 'and others are as they were')
  t.same(await on.transaction().execute(async tx => (await shown.execute(tx)).rows), [usual])
})

t.test('hints arrive by a direct address', async t => {
  const { url: direct, name, drop } = await createDatabase()
  t.teardown(drop)
  await administer(direct, `alter database ${name} reset scs.workspace`)
  const url = await openPgbouncer(t, direct)
  const program = await runProgram(t, ['serve'], environment(url, { DATABASE_LISTEN_URL: direct, LOG_LEVEL: 'warn' }))
  await until('it listens', async () =>
    /^event_hints_mode\{mode="listen"\} 1$/m.test(await (await fetch(`${program.url}/metrics`)).text())
  )
  t.notMatch(program.output(), /pooler/)
})

t.test('whether names are kept is found out', async t => {
  const { url: direct, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  for (const prepared of ['0', '100']) {
    const keeps = prepared !== '0'
    const tracks = Number(version.split('.')[1]) >= 21
    if (keeps && !tracks) {
      t.comment(`PgBouncer ${version} keeps no prepared statements: that was not tested`)
      continue
    }
    const url = await openPgbouncer(t, direct, tracks ? { max_prepared_statements: prepared } : {})
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    t.equal(await keepsNames(client), keeps)
    t.equal(await keepsNames(client), keeps, 'again')
    await client.end()
  }
  const client = new pg.Client({ connectionString: direct })
  await client.connect()
  t.equal(await keepsNames(client), false, 'a server passes them on to itself')
  t.same((await client.query('select from pg_prepared_statements')).rows, [], 'and nothing of it stays')
  await client.end()
})
