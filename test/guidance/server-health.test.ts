import { sql } from 'kysely'
import t from 'tap'
import { ADMIN_API_KEY, call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { createDatabase } from '../support/cluster.js'
import { until } from '../support/until.js'

/** get_server_health: what any replica tells of all of them. */

const ADMIN = { admin: true }
const { url, drop } = await createDatabase()
t.teardown(drop)
// None of the apps drops the database when it ends.
const own = { url }
const here = await startApp(t, {}, own)
const there = await startApp(t, { DATABASE_POOL_MAX: '3' }, own)
const health = (args = {}, app = here) => ok(app, 'get_server_health', args, ADMIN)
const { db } = here.database

t.test('every replica is there, whichever answers', async t => {
  for (const app of [here, there]) {
    await until(async () => (await health({}, app)).replicas.length === 2, 'both have written')
    const { replicas } = await health({}, app)
    t.match(replicas, [
      { replica: 'test-replica', is_up: true, version: /^\d/, event_hints: /listen|poll/ },
      { replica: 'test-replica', is_up: true }
    ])
    t.same(replicas.map(({ connections }: any) => connections.max).sort(), [3, 8])
  }
})

t.test('their calls are counted together, minute by minute and tool by tool', async t => {
  const session_id = await newSession(here)
  for (const app of [here, there]) for (let i = 0; i < 4; i++) await ok(app, 'get_messages', { session_id })
  await call(there, 'get_messages', { session_id, surprise: 1 })
  // Whoever is asked writes its own figures first, unless they are some seconds old.
  const told = async (args = {}) => {
    for (const app of [here, there]) await health(args, app)
    return health(args)
  }
  await until(async () => {
    const of = (await told()).tools.find(({ tool }: any) => tool === 'get_messages')
    return of?.success === 8 && of.error === 1
  }, 'both have written')
  const { tools, minutes } = await told()
  const of = tools.find(({ tool }: any) => tool === 'get_messages')
  t.ok(of.p50_ms > 0 && of.p50_ms <= of.p95_ms && of.p95_ms <= of.p99_ms)
  t.ok(minutes.length >= 1 && minutes.length <= 61)
  const last = minutes.at(-1)
  t.ok(last.calls_per_second > 0 && last.database_bytes > 1_000_000 && last.resident_bytes > 1_000_000)
  t.equal(last.search_waiting >= 0, true)

  const only = await told({ tool: 'create_session' })
  const sum = (minutes: any[]) => minutes.reduce((all, { calls_per_second }) => all + calls_per_second, 0)
  t.ok(sum(only.minutes) > 0 && sum(only.minutes) < sum(minutes))
  t.same(sum((await told({ tool: 'erase_agent' })).minutes), 0)
})

t.test('one that was killed is shown as silent, one that stops is not shown, and nothing stays for ever', async t => {
  const copy = (name: string, minutes: number) => sql`
    insert into replica_figures (at, replica, figures)
    select clock_timestamp() - make_interval(mins => ${minutes}), ${name},
      jsonb_set(figures::jsonb, '{name}', to_jsonb(${name}::text)) from replica_figures limit 1`
  await copy('killed', 5).execute(db)
  await copy('test-replica', 5).execute(db)
  await copy('long ago', 61).execute(db)
  const names = async () => (await health()).replicas.map(({ replica, is_up }: any) => [replica, is_up])
  t.same(await names(), [
    ['killed', false],
    ['test-replica', true],
    ['test-replica', true]
  ])
  const third = await startApp(t, {}, own)
  await until(async () => (await names()).length === 4, 'the third is there')
  t.same(
    (await sql`select from replica_figures where replica = 'long ago'`.execute(db)).rows,
    [],
    'whoever writes takes away what is old'
  )
  await third.server.close()
  t.equal((await names()).length, 3, 'it has said that it stops')
})

t.test('admins of a workspace are refused', async t => {
  const { api_key } = await ok(
    here,
    'create_api_key',
    { agent_id: 'chief', agent_type: 'x', permissions: ['admin'] },
    ADMIN
  )
  t.not(api_key, ADMIN_API_KEY)
  const answer = await call(here, 'get_server_health', {}, { anonymous: true, headers: { 'x-api-key': api_key } })
  isFailure(t, answer, 'PERMISSION_DENIED')
})
