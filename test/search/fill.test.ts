import pg from 'pg'
import t, { type Test } from 'tap'
import { fill, pendingCount } from '../../src/search/fill.js'
import { newSession, ok, startApp, type TestApp } from '../helper.js'

/** What is indexed and what changes at the same time. */

async function locking(t: Test, app: TestApp, table: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: app.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('begin')
  await client.query(`lock table ${table} in exclusive mode`)
  return async () => {
    await client.query('commit')
  }
}

async function waitingForLocks(app: TestApp): Promise<number> {
  const { rows } = await app.database.pool.query<{ n: number }>(
    "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  )
  return rows[0]?.n ?? 0
}

async function waitingFor(app: TestApp, table: string): Promise<number> {
  const { rows } = await app.database.pool.query<{ n: number }>(
    'select count(*) as n from pg_locks where relation = $1::regclass and not granted',
    [table]
  )
  return rows[0]?.n ?? 0
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 10))
}

t.test('a message whose visibility changes while it is being indexed is indexed as it is afterwards', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  const release = await locking(t, app, 'message_terms')
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'the armadillo' })
  // The app's own indexer, or this one, has read the message and waits to write about it.
  const filled = fill(app.database.db)
  await until(async () => (await waitingForLocks(app)) > 0)
  const narrowed = ok(app, 'set_message_visibility', { message_id, visibility: 'private' })
  await until(async () => (await waitingForLocks(app)) > 1)
  await release()
  await Promise.all([filled, narrowed])
  while ((await pendingCount(app.database.db, undefined, 10)) > 0) await fill(app.database.db)
  const { rows } = await app.database.pool.query('select visibility from message_terms where message_id = $1', [
    message_id
  ])
  t.same(rows, [{ visibility: 'private' }])
  t.equal(
    (await ok(app, 'search_context', { session_id, query: 'armadillo' }, { agent_id: 'other', agent_type: 'other' }))
      .message_count,
    0
  )
  t.equal((await ok(app, 'search_context', { session_id, query: 'armadillo' })).message_count, 1)
})

t.test('visibility changed again and again while indexing goes on never waits crosswise', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  const ids: number[] = []
  for (let round = 0; round < 15; round++) {
    const { message_ids } = await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 20 }, (_, i) => ({ content: `hedgehog ${round} ${i}` }))
    })
    ids.push(...message_ids)
    await Promise.all([
      ...message_ids.map((message_id: number, i: number) =>
        ok(app, 'set_message_visibility', { message_id, visibility: i % 2 === 0 ? 'private' : 'agent_only' })
      ),
      fill(app.database.db),
      fill(app.database.db)
    ])
  }
  while ((await pendingCount(app.database.db, undefined, 10)) > 0) await fill(app.database.db)
  const { rows } = await app.database.pool.query(
    'select count(*) as n from message_terms t join messages m on m.workspace = t.workspace ' +
      'and m.id = t.message_id where m.visibility = t.visibility'
  )
  t.same(rows, [{ n: ids.length }])
})

t.test('what is indexed while a search looks is found all the same', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  // More than a search indexes by itself.
  for (let batch = 0; batch < 6; batch++) {
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 100 }, (_, i) => ({ content: `walrus ${i % 100 === 7 ? 'crocodile' : i}` }))
    })
  }
  while ((await pendingCount(app.database.db, undefined, 1)) > 0) await fill(app.database.db)

  // The first makes all wait again; the second, next in line for the lock, keeps the worker from them.
  const [first, second] = [new pg.Client({ connectionString: app.url }), new pg.Client({ connectionString: app.url })]
  for (const client of [first, second]) {
    await client.connect()
    t.teardown(() => client.end())
    await client.query('begin')
  }
  await first.query(`lock table search_pending in exclusive mode;
    create table indexed as select * from message_terms;
    delete from message_terms;
    insert into search_pending (workspace, session_id, message_id)
      select workspace, session_id, message_id from indexed`)
  const held = second.query('lock table search_pending in exclusive mode')
  await until(async () => (await waitingFor(app, 'search_pending')) > 0)
  await first.query('commit')
  await held

  const found = async () => (await ok(app, 'search_context', { session_id, query: 'crocodile' })).message_count
  t.equal(await found(), 6, 'while all wait')
  // A search has to wait where it reads messages, and all are indexed in that moment.
  await second.query('lock table messages in access exclusive mode')
  const meanwhile = found()
  await until(async () => (await waitingFor(app, 'messages')) > 0)
  await second.query(`insert into message_terms select * from indexed on conflict do nothing;
    delete from search_pending;
    commit`)
  t.equal(await meanwhile, 6, 'while they are indexed')
  t.equal(await found(), 6, 'once all are indexed')
})
