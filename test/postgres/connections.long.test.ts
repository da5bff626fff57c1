import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { inWorkspace } from '../../src/postgres/scope.js'
import { serviceRole } from '../../src/postgres/service-role.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { createDatabase, testServer } from '../support/cluster.js'
import { administer, migrated, openService, ownedDatabase } from '../support/database.js'
import { openProxy } from '../support/proxy.js'
import { until } from '../support/rest.js'

/** What a database, its operator and its network do to connections, and what callers see of it. */

t.jobs = 4

/** Runs SQL as the tests' superuser, in a database of one's own. */
async function administrator(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}

const ready = async (app: Awaited<ReturnType<typeof startApp>>) => (await app.server.inject('/health/ready')).statusCode

t.test('a role that is taken away and given back costs no more than that time', async t => {
  const { url, owner: login, asAdmin } = await ownedDatabase(t, 'createrole')
  await asAdmin(`create extension pg_trgm; grant all on schema public to ${login}`)
  await migrated(url)

  const app = await startApp(t, { DATABASE_POOL_MAX: '4' }, { url })
  const session_id = await newSession(app)
  t.equal(await ready(app), 200)
  await asAdmin(`revoke ${serviceRole(login)} from ${login} cascade`)
  for (let i = 0; i < 12; i++) {
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        call(
          app,
          i % 2 === 0 ? 'add_message' : 'create_session',
          i % 2 === 0 ? { session_id, content: 'x' } : { purpose: 'x' }
        )
      )
    )
    for (const { status, body } of answers)
      t.match({ status, body }, { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } })
  }
  t.equal(await ready(app), 503, 'and readiness says so')
  await asAdmin(`grant ${serviceRole(login)} to ${login}`)
  await until('ready again', async () => (await ready(app)) === 200)
  for (let i = 0; i < 12; i++) t.equal((await call(app, 'create_session', { purpose: 'again' })).status, 200)
})

t.test('statements that somebody cancels spoil no connection', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '4', LOG_LEVEL: 'error' })
  const session_id = await newSession(app)
  const admin = await administrator(t, app.url)
  const until_ = Date.now() + 4000
  const cancelling = (async () => {
    while (Date.now() < until_)
      await admin.query(
        'select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() ' +
          'and pid <> pg_backend_pid()'
      )
  })()
  const statuses = new Map<number, number>()
  const calling = Array.from({ length: 4 }, async (_, n) => {
    while (Date.now() < until_) {
      const { status } =
        n % 2 === 0
          ? await call(app, 'create_session', { purpose: 'x' })
          : await call(app, 'add_message', { session_id, content: 'x' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  await Promise.all([cancelling, ...calling])
  t.comment(JSON.stringify(Object.fromEntries(statuses)))
  t.same(
    [...statuses.keys()].filter(status => status !== 200 && status !== 503),
    [],
    'answers and 503, no 500'
  )
  for (let i = 0; i < 40; i++) t.equal((await call(app, 'create_session', { purpose: 'after' })).status, 200)
  const { rows } = await admin.query(
    'select count(*)::int as aborted from pg_stat_activity where datname = ' +
      "current_database() and state = 'idle in transaction (aborted)'"
  )
  t.equal(rows[0].aborted, 0)
})

t.test('connections that are ended while idle cost callers nothing, and while at work a 503', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '4', LOG_LEVEL: 'error' })
  const session_id = await newSession(app)
  // The settings of a connection say that PostgreSQL must not end it for idleness. A pooler may do so all the same.
  const short = async () => {
    const clients = await Promise.allSettled(Array.from({ length: 4 }, () => app.database.pool.connect()))
    for (const client of clients) {
      // One may have been ended just now.
      if (client.status === 'fulfilled')
        await client.value.query("set idle_session_timeout = '60ms'").then(
          () => {
            client.value.release()
          },
          () => {
            client.value.release(true)
          }
        )
    }
  }
  for (let i = 0; i < 8; i++) {
    await short()
    await new Promise(resolve => setTimeout(resolve, 55 + i))
    const answers = await Promise.all([
      call(app, 'create_session', { purpose: 'x' }),
      call(app, 'add_message', { session_id, content: 'x' }),
      call(app, 'get_messages', { session_id }),
      call(app, 'set_memory', { key: 'k', value: i })
    ])
    t.same(
      answers.map(({ status }) => status),
      [200, 200, 200, 200]
    )
  }
  const admin = await administrator(t, app.url)
  let over = false
  const ending = (async () => {
    for (let i = 0; i < 60; i++)
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = ' +
          "current_database() and pid <> pg_backend_pid() and application_name = 'tests'"
      )
    over = true
  })()
  const statuses = new Set<number>()
  while (!over) statuses.add((await call(app, 'create_session', { purpose: 'x' })).status)
  await ending
  statuses.delete(200)
  statuses.delete(503)
  t.same([...statuses], [], 'no 500')
  t.equal((await call(app, 'create_session', { purpose: 'after' })).status, 200)
})

t.test('whatever an estate sets, times are read, rows are seen and nobody conflicts', async t => {
  const [{ major }] = await administer(
    (await testServer()).url,
    "select current_setting('server_version_num')::int / 10000 as major"
  )
  const ESTATES = [
    [
      "datestyle = 'German'",
      "timezone = 'Asia/Kathmandu'",
      "default_transaction_isolation = 'serializable'",
      'row_security = off',
      "statement_timeout = '200ms'",
      "bytea_output = 'escape'"
    ],
    [
      "datestyle = 'SQL, DMY'",
      "intervalstyle = 'iso_8601'",
      "default_transaction_isolation = 'repeatable read'",
      'default_transaction_deferrable = on',
      "idle_session_timeout = '1s'",
      'standard_conforming_strings = off'
    ],
    [
      "datestyle = 'Postgres, MDY'",
      "client_encoding = 'LATIN1'",
      "idle_in_transaction_session_timeout = '1ms'",
      "lock_timeout = '1ms'",
      'extra_float_digits = -10',
      'transform_null_equals = on',
      'array_nulls = off',
      'pg_trgm.word_similarity_threshold = 1'
    ],
    [
      'gin_fuzzy_search_limit = 1',
      'exit_on_error = on',
      "plan_cache_mode = 'force_generic_plan'",
      'join_collapse_limit = 1',
      'from_collapse_limit = 1',
      ...['bitmapscan', 'hashjoin', 'indexscan', 'nestloop', 'seqscan', 'sort'].map(how => `enable_${how} = off`),
      'quote_all_identifiers = on',
      "client_min_messages = 'debug5'"
    ],
    [
      `${major >= 16 ? 'debug_parallel_query' : 'force_parallel_mode'} = on`,
      'max_parallel_workers_per_gather = 8',
      'parallel_setup_cost = 0',
      'min_parallel_table_scan_size = 0',
      "work_mem = '64kB'",
      "temp_file_limit = '1MB'",
      'synchronous_commit = off',
      'jit = on',
      'jit_above_cost = 0',
      "default_text_search_config = 'german'",
      'check_function_bodies = off',
      "backslash_quote = 'off'",
      "xmloption = 'document'"
    ]
  ]
  for (const settings of ESTATES) {
    await t.test(settings.join(', '), async t => {
      const { url, name, drop } = await createDatabase()
      t.teardown(drop)
      await (
        await administrator(t, url)
      ).query(settings.map(setting => `alter database ${name} set ${setting}`).join('; '))
      const [app, other] = [await startApp(t, {}, { url }), await startApp(t, {}, { url })]
      t.equal(await ready(app), 200)
      const { session_id, created_at } = await ok(app, 'create_session', { purpose: 'Überraschung der Woche' })
      t.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      t.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
      t.equal((await ok(app, 'list_sessions', { query: 'Uberraschung' })).count, 1)
      const { seq } = await ok(app, 'add_message', { session_id, content: 'first' })
      const at_once = await Promise.all(
        [app, other].flatMap(on => [
          ...Array.from({ length: 10 }, (_, n) =>
            call(on, 'add_message', { session_id, content: `一 ${n}` }, { agent_id: `agent-${n}` })
          ),
          ...Array.from({ length: 10 }, (_, n) => call(on, 'set_memory', { key: 'shared', value: n })),
          ...Array.from({ length: 5 }, () => call(on, 'mark_read', { session_id, up_to_seq: seq })),
          ...Array.from({ length: 5 }, (_, n) => call(on, 'update_session', { session_id, metadata: { n } })),
          ...Array.from({ length: 5 }, () => call(on, 'create_session', { purpose: 'once', idempotency_key: 'k' }))
        ])
      )
      t.same(
        at_once.filter(({ status }) => status !== 200).map(({ body }) => body),
        []
      )
      t.equal((await ok(app, 'get_messages', { session_id })).total_count, 21)
      t.equal((await ok(app, 'search_context', { session_id, query: '一', limit: 100 })).message_count, 20)
    })
  }
})

t.test('settings that are too low are raised, and no others', async t => {
  const { url, name, drop } = await createDatabase()
  t.teardown(drop)
  const shown = async () => {
    const database = openService(t, url, { max: 1 })
    const { rows } = await sql<{ commit: string; memory: string }>`
      select current_setting('synchronous_commit') as commit, current_setting('work_mem') as memory`.execute(
      inWorkspace(database.db, 'w')
    )
    return rows[0]
  }
  for (const [commit, memory, expected] of [
    ['off', '64kB', { commit: 'local', memory: '4MB' }],
    ['remote_apply', '64MB', { commit: 'remote_apply', memory: '64MB' }],
    ['local', '4MB', { commit: 'local', memory: '4MB' }]
  ] as const) {
    await administer(
      url,
      `alter database ${name} set synchronous_commit = ${commit}`,
      `alter database ${name} set work_mem = '${memory}'`
    )
    t.same(await shown(), expected)
  }
})

t.test('statements that wait for each other crosswise are repeated inside', async t => {
  const app = await startApp(t, { LOG_LEVEL: 'error' })
  const admin = await administrator(t, app.url)
  // Locks that our own code never takes in this order: one transaction holds the first row and wants the second.
  await ok(app, 'set_memory', { key: 'a', value: 1 })
  await admin.query("set deadlock_timeout = '1h'")
  await admin.query('begin')
  await admin.query("select from agent_memory where key = 'a' for update")
  const writing = call(app, 'set_memory', { key: 'a', value: 2, idempotency_key: 'deadlock' })
  await until(
    'it waits',
    async () =>
      (
        await app.database.pool.query(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
      ).rowCount === 1
  )
  // It holds its idempotency key's row, and waits for ours: one of the two is given up, and it is not ours.
  await admin
    .query(
      'insert into idempotency_keys (workspace, agent_id, key, request_hash) values ' +
        "('default', 'agent-1', 'deadlock', '\\x00')"
    )
    .catch((error: unknown) => {
      t.comment(String(error))
    })
  await admin.query('rollback')
  t.match(await writing, { status: 200, body: { version: Number } })
})

t.test('a database that refuses connections is 503, whatever it says', async t => {
  const { url, name, drop } = await createDatabase()
  t.teardown(drop)
  const proxy = await openProxy(t, url)
  const app = await startApp(t, {}, proxy)
  const admin = await administrator(t, (await testServer()).url)
  const broken = async (what: string) => {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    for (let i = 0; i < 4; i++)
      t.match(
        await call(app, 'create_session', { purpose: 'x' }),
        { status: 503, body: { code: 'DATABASE_UNAVAILABLE' } },
        what
      )
    t.equal(await ready(app), 503, what)
  }
  await ok(app, 'create_session', { purpose: 'x' })
  await admin.query(`alter database ${name} rename to ${name}_away`).catch(async () => {
    await admin.query(`alter database ${name} allow_connections false`)
  })
  await broken('it is gone')
  await admin
    .query(`alter database ${name} allow_connections true`)
    .catch(() => admin.query(`alter database ${name}_away rename to ${name}`))
  await until('ready', async () => (await ready(app)) === 200)
  t.equal((await call(app, 'create_session', { purpose: 'x' })).status, 200)
})
