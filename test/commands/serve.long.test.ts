import t from 'tap'
import { environment, runProgram, runToEnd } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { quietPort } from '../support/ports.js'
import { post, until } from '../support/rest.js'
import pg from 'pg'

t.jobs = 3

t.test('starts at once on one empty database', async t => {
  const database = await createDatabase({ empty: true })
  t.teardown(database.drop)
  const programs = await Promise.all(
    Array.from({ length: 6 }, () => runProgram(t, ['serve'], environment(database.url, { DATABASE_POOL_MAX: '2' })))
  )
  for (const { url } of programs)
    await until('healthy', async () => (await fetch(`${url}/health`)).status === 200, 20_000)
  t.same(
    await Promise.all(programs.map(program => program.stop())),
    programs.map(() => 0)
  )
})

t.test('SIGTERM: not ready, drain, close', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const program = await runProgram(
    t,
    ['serve'],
    environment(database.url, { SHUTDOWN_DELAY_MS: '1500', STATEMENT_TIMEOUT_MS: '20000' })
  )
  const { session_id } = await post(program.url, 'create_session', { purpose: 'stopping' })
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query('begin')
  await holder.query('select 1 from sessions where id = $1 for update', [session_id])
  const underway = post(program.url, 'add_message', { session_id, content: 'begun before the signal' })
  // Begun for certain: its statement waits for the lock held here.
  await until('the message waits', async () => {
    const { rows } = await holder.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    return rows.length === 1
  })

  const stopped = program.stop('SIGTERM')
  await until('not ready', async () => (await fetch(`${program.url}/health/ready`)).status === 503)
  t.match(await post(program.url, 'list_sessions', {}), { status: 200 }, 'still serves while load balancers notice')
  await holder.query('rollback')
  t.match(await underway, { status: 200, seq: 1 }, 'what had begun is finished')
  t.equal(await stopped, 0)
  await t.rejects(fetch(`${program.url}/health/live`), 'nothing listens any more')
  t.same((await holder.query('select content from messages')).rows, [{ content: 'begun before the signal' }])
  await holder.end()
})

t.test('a second signal means now', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const program = await runProgram(t, ['serve'], environment(database.url, { SHUTDOWN_DELAY_MS: '60000' }))
  const stopped = program.stop('SIGTERM')
  await until('not ready', async () => (await fetch(`${program.url}/health/ready`)).status === 503)
  program.process.kill('SIGTERM')
  t.equal(await stopped, 143)
})

t.test('with METRICS_PORT metrics are there and nowhere else', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const port = await quietPort()
  const program = await runProgram(t, ['serve'], environment(database.url, { METRICS_PORT: String(port) }))
  t.equal((await fetch(`${program.url}/metrics`)).status, 404)
  const page = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(page.status, 200)
  const text = await page.text()
  for (const name of [
    'mcp_requests_total',
    'mcp_request_duration_seconds',
    'mcp_active_sessions 0',
    'search_index_waiting 0',
    'mcp_active_agents',
    'database_pool_connections',
    'http_request_duration_seconds',
    'process_cpu_seconds_total'
  ])
    t.ok(text.includes(name), name)
})

t.test('faults of the start are sentences', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const cases: Array<[name: string, env: Record<string, string>, says: RegExp]> = [
    ['a foreign database', environment('sqlite:./chat.db'), /DATABASE_URL must be a PostgreSQL URL.*not sqlite:/],
    [
      'missing keys',
      // The default port may be taken on this machine.
      { DATABASE_URL: database.url, PORT: '0' },
      /2 faults:\n.*API_KEY is required.*\n.*JWT_SECRET_KEY is required/
    ],
    [
      'placeholders',
      environment(database.url, {
        API_KEY: 'change-me-please',
        JWT_SECRET_KEY: 'your-secret-key-at-least-32-characters'
      }),
      /API_KEY is still a placeholder[^]*JWT_SECRET_KEY is still a placeholder/
    ],
    [
      'no authentication in production',
      environment(database.url, { AUTH_ENABLED: 'false', NODE_ENV: 'production' }),
      /AUTH_ENABLED=false is refused/
    ]
  ]
  for (const [name, env, says] of cases) {
    const { code, stdout, stderr } = await runToEnd(['serve'], env)
    t.equal(code, 1, name)
    t.match(stderr, says, name)
    t.notMatch(stdout + stderr, /at .*\.js:\d+/, `${name}: no stack`)
  }
})

t.test('a database newer than the program is refused with a sentence', async t => {
  const database = await createDatabase()
  t.teardown(database.drop)
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query("insert into kysely_migration values ('9999-from-the-future', now()::text)")
  await client.end()
  for (const args of [['serve'], ['migrate', 'up'], ['migrate', 'status'], ['migrate', 'down', '--yes']]) {
    t.match(
      await runToEnd(args, environment(database.url)),
      { code: 1, stderr: /newer than this program: it has the migration 9999-from-the-future/ },
      args.join(' ')
    )
  }
})

t.test('migrate up, down and status', async t => {
  const database = await createDatabase({ empty: true })
  t.teardown(database.drop)
  const env = environment(database.url)
  t.match(await runToEnd(['migrate', 'status'], env), { code: 0, stdout: /^(missing .*\n)+$/ })
  t.match(await runToEnd(['migrate', 'up'], env), { code: 0, stdout: /^(applied .*\n)+$/ })
  t.match(await runToEnd(['migrate', 'up'], env), { code: 0, stdout: /Nothing to apply/ })
  const unasked = await runToEnd(['migrate', 'down'], env)
  t.match(unasked, { code: 2, stdout: '', stderr: /Nothing was changed: without a terminal, confirm it with --yes/ })
  const status = async () =>
    (await runToEnd(['migrate', 'status', '--json'], env)).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { applied: boolean })
  t.ok((await status()).every(({ applied }) => applied))
  t.match(await runToEnd(['migrate', 'down', '--yes'], env), { code: 0, stdout: /^reverted .*\n$/ })
  t.equal((await status()).filter(({ applied }) => !applied).length, 1)
})
