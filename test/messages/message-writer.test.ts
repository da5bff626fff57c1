import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

/** Writing many calls' messages in one statement: what one call does must be nothing to the others. */

const app = await startApp(t)
const replica = await startApp(t, {}, { url: app.url })

async function messages(session_id: string, as = {}): Promise<any[]> {
  return (await ok(app, 'get_messages', { session_id, limit: 1000, order: 'asc' }, as)).messages
}

/** Statements that wrote messages, in the transactions of this database. */
async function transactions(): Promise<number> {
  const { rows } = await app.database.pool.query<{ n: number }>('select count(distinct xmin::text) as n from messages')
  return rows[0]?.n ?? 0
}

async function holding(t: Test, statement: string, values: unknown[]): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: app.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('begin')
  await client.query(statement, values)
  return async () => {
    await client.query('rollback')
  }
}

/** How many statements wait for a lock in this database; its cluster has others. */
async function waiters(): Promise<number> {
  const { rowCount } = await app.database.pool.query(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  )
  return rowCount ?? 0
}

t.test('calls that come together go together, each with its own answer', async t => {
  const sessions = await Promise.all(Array.from({ length: 3 }, () => newSession(app)))
  const before = await transactions()
  const answers = await Promise.all(
    Array.from({ length: 90 }, async (_, i) => ({
      i,
      ...(await ok(
        app,
        'add_message',
        { session_id: sessions[i % 3], content: `message ${i}` },
        { agent_id: `agent-${i}` }
      ))
    }))
  )
  t.ok((await transactions()) - before < 45, 'in far fewer transactions than calls')
  for (const [s, session_id] of sessions.entries()) {
    const found = await messages(session_id)
    t.same(
      found.map(message => message.seq),
      Array.from({ length: 30 }, (_, i) => i + 1)
    )
    for (const { i, message_id, seq, timestamp } of answers.filter(({ i }) => i % 3 === s)) {
      t.match(
        found.find(message => message.id === message_id),
        { content: `message ${i}`, sender: `agent-${i}`, seq, timestamp }
      )
    }
  }
})

t.test('what is refused is refused alone', async t => {
  const [open, closed, other] = await Promise.all([newSession(app), newSession(app), newSession(app)])
  await ok(app, 'update_session', { session_id: closed, is_active: false })
  const elsewhere = (await ok(app, 'add_message', { session_id: other, content: 'parent in another session' }))
    .message_id
  const secret = (
    await ok(app, 'add_message', { session_id: open, content: 'a secret', visibility: 'private' }, { agent_id: 'ann' })
  ).message_id
  const [good, toClosed, toNothing, orphan, ofSecret, several, ownSecret, byAdmin] = await Promise.all([
    call(app, 'add_message', { session_id: open, content: 'good' }),
    call(app, 'add_message', { session_id: closed, content: 'late' }),
    call(app, 'add_message', { session_id: 'session_00000000deadbeef', content: 'nowhere' }),
    call(app, 'add_message', { session_id: open, content: 'answer', parent_message_id: elsewhere }),
    call(app, 'add_message', { session_id: open, content: 'answer', parent_message_id: secret }, { agent_id: 'bob' }),
    call(
      app,
      'add_messages',
      { session_id: open, messages: [{ content: 'one' }, { content: 'two', parent_message_id: secret }] },
      { agent_id: 'bob' }
    ),
    call(
      app,
      'add_message',
      { session_id: open, content: 'answer to myself', parent_message_id: secret },
      { agent_id: 'ann' }
    ),
    call(
      app,
      'add_message',
      { session_id: open, content: 'the boss answers', parent_message_id: secret },
      { agent_id: 'boss', admin: true }
    )
  ])
  t.equal(good.status, 200)
  t.equal(ownSecret.status, 200)
  t.equal(byAdmin.status, 200)
  isFailure(t, toClosed, 'SESSION_CLOSED')
  isFailure(t, toNothing, 'SESSION_NOT_FOUND')
  for (const refused of [orphan, ofSecret, several]) isFailure(t, refused, 'MESSAGE_NOT_FOUND')
  const found = await messages(open, { agent_id: 'ann' })
  t.same(found.map(message => message.content).sort(), ['a secret', 'answer to myself', 'good', 'the boss answers'])
  t.same(
    found.map(message => message.seq),
    [1, 2, 3, 4],
    'and has taken no number'
  )
})

t.test('a session whose row somebody holds keeps nobody else waiting', async t => {
  const [held, free] = await Promise.all([newSession(app), newSession(app)])
  const release = await holding(t, 'select from sessions where id = $1 for update', [held])
  const waiting = Array.from({ length: 5 }, (_, i) =>
    ok(app, 'add_message', { session_id: held, content: `held ${i}` })
  )
  for (let i = 0; i < 20; i++) await ok(app, 'add_message', { session_id: free, content: `free ${i}` })
  t.equal((await messages(free)).length, 20)
  t.equal((await messages(held)).length, 0)
  await release()
  await Promise.all(waiting)
  t.equal((await messages(held)).length, 5)
})

t.test('sessions that somebody holds, however many, leave connections to other calls', async t => {
  const small = await startApp(t, { DATABASE_POOL_MAX: '5' }, { url: app.url })
  const held = await Promise.all(Array.from({ length: 8 }, () => newSession(app)))
  const free = await newSession(app)
  const release = await holding(t, 'select from sessions where id = any($1) for update', [held])
  const waiting = held.map(session_id => ok(small, 'add_message', { session_id, content: 'held' }))
  await until(async () => (await waiters()) >= 3, 'three of them wait')
  for (let i = 0; i < 5; i++) await ok(small, 'add_message', { session_id: free, content: `free ${i}` })
  t.equal((await ok(small, 'get_messages', { session_id: free })).messages.length, 5)
  await release()
  t.equal((await Promise.all(waiting)).length, 8)
})

t.test('a key that is being taken by another replica at this moment is waited for, and nobody else waits', async t => {
  const session_id = await newSession(app)
  const key = randomUUID()
  const release = await holding(
    t,
    "insert into idempotency_keys (agent_id, key, request_hash) values ('agent-1', $1, '\\x00')",
    [key]
  )
  const once = ok(app, 'add_message', { session_id, content: 'once', idempotency_key: key })
  await until(async () => (await waiters()) === 1, 'it waits for the key')
  const other = await newSession(app)
  for (let i = 0; i < 5; i++) await ok(app, 'add_message', { session_id: other, content: `other ${i}` })
  await release()
  const first = await once
  t.same(await ok(replica, 'add_message', { session_id, content: 'once', idempotency_key: key }), first)
  t.equal((await messages(session_id)).length, 1)
})

t.test('two replicas that write into the same sessions crosswise end', async t => {
  const sessions = await Promise.all(Array.from({ length: 6 }, () => newSession(app)))
  await Promise.all(
    Array.from({ length: 300 }, (_, i) => {
      const session_id = sessions[(i % 2 === 0 ? i : 299 - i) % 6] as string
      return ok(i % 2 === 0 ? app : replica, 'add_messages', {
        session_id,
        messages: [{ content: `a ${i}` }, { content: `b ${i}` }]
      })
    })
  )
  for (const session_id of sessions) {
    const found = await messages(session_id)
    t.same(
      found.map(message => message.seq),
      found.map((_, i) => i + 1),
      'without a gap'
    )
    t.same(
      [...found].sort((x, y) => x.id - y.id),
      found,
      'ids and numbers in the same order'
    )
    for (let i = 0; i < found.length; i += 2)
      t.equal(found[i].content.slice(2), found[i + 1].content.slice(2), 'what came together stands together')
  }
})

t.test('a message that the database refuses does not take the others with it', async t => {
  const session_id = await newSession(app)
  await app.database.pool.query(`create function refuse_unlucky () returns trigger language plpgsql as $$
    begin if new.content = 'unlucky' then raise exception 'no' using errcode = 'check_violation';
    end if; return new; end $$`)
  await app.database.pool.query(
    'create trigger refuse_unlucky before insert on messages for each row execute function refuse_unlucky()'
  )
  t.teardown(() => app.database.pool.query('drop function refuse_unlucky cascade'))
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      call(app, 'add_message', { session_id, content: i === 5 ? 'unlucky' : `lucky ${i}` })
    )
  )
  t.same(
    answers.map(({ status }) => status === 200),
    answers.map((_, i) => i !== 5)
  )
  t.equal((await messages(session_id)).length, 11)
})

t.test('every message has its audit row, with its own request', async t => {
  const session_id = await newSession(app)
  await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      ok(
        app,
        'add_message',
        { session_id, content: `m ${i}` },
        { agent_id: `agent-${i}`, headers: { 'x-request-id': `request-${i}` } }
      )
    )
  )
  const { entries } = await ok(app, 'get_audit_log', { session_id, event_type: 'message_added' }, { admin: true })
  const found = await messages(session_id)
  t.same(
    entries.map((entry: any) => `${entry.agent_id} ${entry.request_id} ${entry.resource}`).sort(),
    found.map(message => `${message.sender} request-${message.sender.slice(6)} message:${message.id}`).sort()
  )
})

t.test(
  'connections that break while batches are out: no answer is lost, and what was acknowledged is there',
  async (t: Test) => {
    const session_id = await newSession(app)
    const acknowledged: number[] = []
    let refused = 0
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let n = 0; n < 40; n++) {
        const { status, body } = await call(app, 'add_message', { session_id, content: `writer ${writer} ${n}` })
        if (status === 200) acknowledged.push(body.message_id)
        else {
          t.equal(body.code, 'DATABASE_UNAVAILABLE')
          refused++
        }
      }
    })
    const killer = new pg.Client({ connectionString: app.url })
    await killer.connect()
    for (let i = 0; i < 5; i++) {
      await new Promise(resolve => setTimeout(resolve, 20))
      await killer.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = ' +
          "current_database() and pid <> pg_backend_pid() and query like '%messages%'"
      )
    }
    await killer.end()
    await Promise.all(writers)
    const ids = new Set((await messages(session_id)).map(message => message.id))
    t.same(
      acknowledged.filter(id => !ids.has(id)),
      [],
      `${acknowledged.length} acknowledged, ${refused} refused`
    )
  }
)
