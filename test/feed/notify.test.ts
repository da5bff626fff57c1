import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { mcpTopic, memoryTopic, sessionTopic, type Topic, workspaceTopic } from '../../src/kernel/events.js'
import { connect, connectAsOwner } from '../../src/postgres/connect.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { type Notify, type NotifyOptions, openNotify } from '../../src/feed/store/notify.js'
import { newSession, ok, startApp } from '../helper.js'
import { until } from '../support/until.js'
import { createDatabase } from '../support/cluster.js'
import { openProxy, type Proxy } from '../support/proxy.js'
import { optionsFor } from '../support/database.js'

/** Hints between replicas, on connections that behave, and on some that do not. */

const { url, drop } = await createDatabase()
t.teardown(drop)

interface Replica {
  application_name: string
  notify: Notify
  warnings: string[]
  wakes: (topic: Topic) => () => number
}

function connectTo(t: Test, to: string, application_name = 'tests') {
  const database = connect(optionsFor(to, { connect_timeout_ms: 2000, statement_timeout_ms: 5000, application_name }))
  t.teardown(() => database.close())
  return database
}

function open(t: Test, to = url, more: Pick<NotifyOptions, 'heartbeat_ms' | 'patience_ms' | 'close_ms'> = {}): Replica {
  const application_name = `tests ${randomUUID()}`
  const { client, watch } = connectTo(t, to, application_name)
  const warnings: string[] = []
  const notify = openNotify({
    client,
    db: acrossWorkspaces(watch),
    log: {
      info: () => {},
      warn: (_fields, message) => {
        warnings.push(message)
      }
    },
    ...more
  })
  t.teardown(() => notify.close())
  return {
    application_name,
    notify,
    warnings,
    wakes(topic) {
      let count = 0
      t.teardown(
        notify.subscribe(topic, () => {
          count++
        })
      )
      return () => count
    }
  }
}

async function listening(...replicas: Replica[]): Promise<void> {
  await until(() => replicas.every(({ notify }) => notify.mode() === 'listen'), 'hints arrive')
}

const { db, close } = connectAsOwner(optionsFor(url, { connect_timeout_ms: 20_000, statement_timeout_ms: 5000 }))
t.teardown(close)

/** A session of a test's own, to listen to, and how it grows without a hint. */
async function newSessionRow(): Promise<{ topic: Topic; grow: () => Promise<void> }> {
  const id = `session_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await sql`insert into sessions (id, purpose, created_by) values (${id}, 'a session', 'agent-1')`.execute(db)
  return {
    topic: sessionTopic('default', id),
    async grow() {
      await sql`update sessions set last_seq = last_seq + 1 where id = ${id}`.execute(db)
    }
  }
}

t.jobs = 4

t.test("a hint reaches every replica, and one's own listeners too", async t => {
  const [a, b, c] = [open(t), open(t), open(t)] as const
  await listening(a, b, c)
  const { topic } = await newSessionRow()
  const counts = [a, b, c].map(replica => replica.wakes(topic))
  const others = b.wakes(sessionTopic('default', 'session_of_another'))
  const workspace = c.wakes(workspaceTopic('default'))
  await until(() => [...counts, others, workspace].every(count => count() > 0), 'the first look')
  const before = counts.map(count => count())
  const unrelated = others()
  const whole = workspace()
  a.notify.publish([topic])
  await until(() => counts.every((count, i) => count() > (before[i] as number)), 'all woken')
  await until(() => workspace() > whole, 'so are those who listen to the workspace')
  t.equal(others(), unrelated, 'nobody else is')
  t.same(
    [a, b, c].flatMap(replica => replica.warnings),
    []
  )
})

t.test('many hints at once, and long ones', async t => {
  const [a, b] = [open(t), open(t)]
  await listening(a, b)
  const topics = Array.from({ length: 500 }, (_, i) => memoryTopic('default', `${'世界'.repeat(45)} ${i}`))
  const heard = new Set<Topic>()
  for (const topic of topics)
    t.teardown(
      b.notify.subscribe(topic, () => {
        heard.add(topic)
      })
    )
  await until(() => heard.size === topics.length, 'the first look')
  heard.clear()
  a.notify.publish(topics)
  await until(() => heard.size === topics.length, 'all of them')
  t.pass()
})

t.test('what was published until a replica closes is still sent', async t => {
  const [a, b] = [open(t, url, { close_ms: 20_000 }), open(t)]
  await listening(a, b)
  const topics = Array.from({ length: 20 }, (_, i) => memoryTopic('default', `last words ${i}`))
  const heard = new Set<Topic>()
  for (const topic of topics)
    t.teardown(
      b.notify.subscribe(topic, version => {
        // Polls name a version, hints do not.
        if (version === undefined) heard.add(topic)
      })
    )
  // The first hints are on their way when the others come.
  a.notify.publish(topics.slice(0, 10))
  await new Promise(resolve => setTimeout(resolve, 2))
  a.notify.publish(topics.slice(10))
  await a.notify.close()
  await until(() => heard.size === topics.length, 'all of them')
  t.pass()
})

t.test('a change whose hint was lost is noticed all the same', async t => {
  const a = open(t)
  await listening(a)
  const id_hash = Buffer.from('00ff', 'hex')
  await sql`insert into mcp_sessions (id_hash, protocol_version) values (${id_hash}, 'x')`.execute(db)
  const { topic, grow } = await newSessionRow()
  const counts = {
    session: a.wakes(topic),
    memory: a.wakes(memoryTopic('default', 'agent-1')),
    mcp: a.wakes(mcpTopic(id_hash)),
    workspace: a.wakes(workspaceTopic('default'))
  }
  await until(() => Object.values(counts).every(count => count() > 0), 'the first look')
  for (const [what, change] of [
    ['session', grow],
    [
      'memory',
      async () => {
        await sql`insert into agent_memory (agent_id, session_id, key, value, value_size)
          values ('agent-1', '', 'k', '1', 1)`.execute(db)
      }
    ],
    [
      'memory',
      async () => {
        await sql`delete from agent_memory`.execute(db)
      }
    ],
    [
      'mcp',
      async () => {
        await sql`delete from mcp_sessions`.execute(db)
      }
    ]
  ] as const) {
    const before = counts[what]()
    await change()
    await until(() => counts[what]() > before, what)
  }
  const [before, always] = [counts.session(), counts.workspace()]
  await until(() => counts.workspace() > always + 1, 'a workspace has no version and is always told')
  t.equal(counts.session(), before, 'what has not changed is not told again and again')
})

t.test('a pooler that swallows notifications: the database is asked instead, with one warning', async t => {
  const proxy = await openProxy(t, url)
  proxy.mode = 'swallow'
  const a = open(t, proxy.url, { heartbeat_ms: 200, patience_ms: 500 })
  const { topic, grow } = await newSessionRow()
  const count = a.wakes(topic)
  await until(() => a.warnings.length > 0, 'warned')
  t.equal(a.notify.mode(), 'poll')
  for (let i = 0; i < 3; i++) {
    const before = count()
    await grow()
    await until(() => count() > before, 'noticed')
  }
  await new Promise(resolve => setTimeout(resolve, 2000))
  t.equal(a.warnings.length, 1, 'once')
  // What it sends arrives elsewhere all the same.
  const b = open(t)
  await listening(b)
  const heard = b.wakes(memoryTopic('default', 'somebody'))
  await until(() => heard() > 0, 'the first look')
  const before = heard()
  a.notify.publish([memoryTopic('default', 'somebody')])
  await until(() => heard() > before, 'heard')
  proxy.mode = 'pass'
  await listening(a)
  t.equal(a.notify.mode(), 'listen', 'it is found out when they come through again')
})

for (const [name, break_] of [
  [
    'a network that swallows everything',
    async (proxy: Proxy) => {
      proxy.mode = 'hole'
    }
  ],
  [
    'a connection that is ended',
    async (_proxy: Proxy, { application_name }: Replica) => {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = ${application_name} and query like '%notify%'`.execute(db)
    }
  ]
] as const) {
  t.test(`${name}: noticed, mended, and everybody looks again`, async t => {
    const proxy = await openProxy(t, url)
    const a = open(t, proxy.url, { heartbeat_ms: 200, patience_ms: 500 })
    await listening(a)
    const { topic } = await newSessionRow()
    const count = a.wakes(topic)
    await until(() => count() > 0, 'the first look')
    let broken = false
    const watching = setInterval(() => {
      broken ||= a.notify.mode() === 'poll'
    }, 5)
    t.teardown(() => {
      clearInterval(watching)
    })
    await break_(proxy, a)
    await until(() => broken, 'noticed')
    const before = count()
    proxy.mode = 'pass'
    await listening(a)
    t.ok(count() > before, 'woken after the gap')
    const other = open(t)
    await listening(other)
    const again = count()
    other.notify.publish([topic])
    await until(() => count() > again, 'hints arrive again')
    await until(() => proxy.connections() <= 3, 'the broken connection is not kept')
  })
}

t.test('a listener that has gone is not called, and nothing of it is kept', async t => {
  const a = open(t)
  await listening(a)
  const { topic } = await newSessionRow()
  let count = 0
  const gone = a.notify.subscribe(topic, () => {
    count++
  })
  gone()
  const heard = a.wakes(topic)
  await until(() => heard() > 0, 'the first look')
  const before = heard()
  a.notify.publish([topic])
  await until(() => heard() > before, 'one that is still there')
  t.equal(count, 0)
})

t.test('replicas behind a pooler that swallows notifications still wake each other', async t => {
  const first = await startApp(t, { LOG_LEVEL: 'warn' })
  const proxy = await openProxy(t, first.url)
  proxy.mode = 'swallow'
  const [a, b] = [await startApp(t, { LOG_LEVEL: 'warn' }, proxy), await startApp(t, { LOG_LEVEL: 'warn' }, proxy)]
  const metric = async (app: typeof a) => (await app.server.inject({ url: '/metrics' })).body
  await until(() => [a, b].every(app => app.logged.some(({ msg }) => /hints/.test(String(msg)))), 'warned')
  t.match(await metric(a), /^event_hints_mode\{mode="poll"\} 1$/m)
  t.match(await metric(a), /^event_hints_mode\{mode="listen"\} 0$/m)
  t.match(await metric(first), /^event_hints_mode\{mode="listen"\} 1$/m)
  const session_id = await newSession(a)
  const waiting = ok(b, 'wait_for_messages', { session_id, timeout_seconds: 20 }, { agent_id: 'reader' })
  await until(() => b.server.waiters.taken === 1, 'waiting')
  await ok(a, 'add_message', { session_id, content: 'hello' })
  t.match(await waiting, { count: 1, timed_out: false })
})
