import t from 'tap'
import { fill } from '../../src/search/fill.js'
import { newSession, ok, startApp } from '../helper.js'
import { holding, waits } from '../support/holding.js'
import { indexAll } from '../support/index-all.js'

/** What is indexed and what changes at the same time. */

t.test('a message whose visibility changes while it is being indexed is indexed as it is afterwards', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  const { release } = await holding(t, app, 'lock table message_terms in exclusive mode')
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'the armadillo' })
  // The app's own indexer, or this one, has read the message and waits to write about it.
  const filled = fill(app.database.db)
  await waits(app, 'message_terms')
  const narrowed = ok(app, 'set_message_visibility', { message_id, visibility: 'private' })
  await waits(app, 'insert into search_pending as pending')
  await release()
  await Promise.all([filled, narrowed])
  await indexAll(app.database.db)
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
  await indexAll(app.database.db)
  const { rows } = await app.database.pool.query(
    'select count(*) as n from message_terms t join messages m on m.workspace = t.workspace ' +
      'and m.id = t.message_id where m.visibility = t.visibility'
  )
  t.same(rows, [{ n: ids.length }])
})

t.test('what is indexed while a search looks is found all the same', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  // More than a search indexes by itself, also if the worker takes some of them first.
  for (let batch = 0; batch < 9; batch++) {
    await ok(app, 'add_messages', {
      session_id,
      messages: Array.from({ length: 100 }, (_, i) => ({ content: `walrus ${i === 7 ? 'crocodile' : i}` }))
    })
  }
  await indexAll(app.database.db)

  // The first makes all wait again; the second, next in line for the lock, keeps the worker from them.
  const first = await holding(
    t,
    app,
    'lock table search_pending in exclusive mode',
    'create table indexed as select * from message_terms',
    'delete from message_terms',
    `insert into search_pending (workspace, session_id, message_id)
      select workspace, session_id, message_id from indexed`
  )
  const second = await holding(t, app)
  const held = second.query('lock table search_pending in exclusive mode')
  await waits(app, 'lock table search_pending')
  await first.release()
  await held

  // On a slow machine a search may run out of its time. Then it says so.
  const found = async () => {
    for (;;) {
      const { message_count, partial } = await ok(app, 'search_context', { session_id, query: 'crocodile' })
      if (!partial) return message_count
    }
  }
  t.equal(await found(), 9, 'while all wait')
  // A worker that waits for the list may hold messages by then, and would wait crosswise.
  await second.query(
    `select pg_terminate_backend(pid) from pg_locks where not granted and relation = 'search_pending'::regclass`
  )
  // A search has to wait where it reads messages, and all are indexed in that moment.
  await second.query('lock table messages in access exclusive mode')
  const meanwhile = found()
  await waits(app, 'looked_at')
  await second.query('insert into message_terms select * from indexed on conflict do nothing')
  await second.query('delete from search_pending')
  await second.release()
  t.equal(await meanwhile, 9, 'while they are indexed')
  t.equal(await found(), 9, 'once all are indexed')
})

t.test('what another process began to index, and does not go on with, is found all the same', async t => {
  const app = await startApp(t)
  const session_id = await newSession(app)
  const stuck = await holding(t, app, 'lock table search_words in exclusive mode')
  await ok(app, 'add_message', { session_id, content: 'the otter sleeps' })
  await waits(app, 'search_words')
  const { message_count } = await ok(app, 'search_context', { session_id, query: 'otter' })
  t.equal(message_count, 1)
  await stuck.release()
})
