import t from 'tap'
import { sweepDeletedSessions } from '../../src/lifecycle/store/deleted-sessions.js'
import { type As, call, listen, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { openStream } from '../http/stream-client.js'
import { until } from '../support/until.js'

/** delete_message and delete_session, as those learn of it who read, search, wait or stream, on another replica. */

const app = await startApp(t)
const other = await startApp(t, {}, app)
const [here, there] = [await listen(app), await listen(other)]
const { db } = app.database

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const PEER: As = { agent_id: 'peer', agent_type: 'red' }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'blue' }
const ADMIN: As = { agent_id: 'boss', agent_type: 'blue', admin: true }

const write = async (session_id: string, content: string, more = {}): Promise<number> =>
  (await ok(app, 'add_message', { session_id, content, ...more }, WRITER)).message_id
const events = (session_id: string, after?: number) =>
  `/mcp/sessions/${session_id}/events${after === undefined ? '' : `?after_seq=${after}`}`

/** Rows that still hold something of these messages or this session. */
async function left(session_id: string, ids: number[] = []): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of [
    'messages',
    'message_terms',
    'search_pending',
    'session_changes',
    'agent_memory',
    'read_cursors',
    'session_presence',
    'deleted_sessions'
  ] as const) {
    const column = table === 'messages' ? 'id' : 'message_id'
    let query = db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where('session_id', '=', session_id)
    if (ids.length > 0)
      query = ['messages', 'message_terms', 'search_pending'].includes(table)
        ? query.where(column as never, 'in', ids as never)
        : query.where(eb => eb.lit(false) as never)
    const { n } = await query.executeTakeFirstOrThrow()
    if (n > 0) counts[table] = n
  }
  return counts
}

t.test('a deleted message is nowhere any more', async t => {
  const session_id = await newSession(app, WRITER)
  const first = await write(session_id, 'the first')
  const gone = await write(session_id, '@peer: the wombat 袋熊 🐾 digs', { metadata: { tag: 'burrow' } })
  const reply = await write(session_id, 'an answer', { parent_message_id: gone })
  await ok(app, 'set_message_visibility', { message_id: gone, visibility: 'public', idempotency_key: 'shown' }, WRITER)
  await ok(app, 'search_context', { session_id, query: 'wombat' }, PEER)
  t.same((await ok(app, 'get_session', { session_id }, PEER)).session.unread, { messages: 3, mentions: 1 })
  for (const as of [PEER, STRANGER])
    isFailure(t, await call(app, 'delete_message', { message_id: gone }, as), 'PERMISSION_DENIED')

  const answer = await ok(app, 'delete_message', { message_id: gone, idempotency_key: 'gone' }, WRITER)
  t.same(answer, { success: true, deleted: true, message_id: gone, session_id, seq: 4 })
  t.same(
    await ok(other, 'delete_message', { message_id: gone, idempotency_key: 'gone' }, WRITER),
    answer,
    'repeated with its key'
  )
  for (const tool of ['delete_message', 'set_message_visibility']) {
    isFailure(
      t,
      await call(app, tool, { message_id: gone, ...(tool !== 'delete_message' && { visibility: 'public' }) }, WRITER),
      'MESSAGE_NOT_FOUND',
      tool
    )
    isFailure(
      t,
      await call(app, tool, { message_id: gone, ...(tool !== 'delete_message' && { visibility: 'public' }) }, ADMIN),
      'MESSAGE_NOT_FOUND',
      tool
    )
  }
  isFailure(
    t,
    await call(
      app,
      'set_message_visibility',
      { message_id: gone, visibility: 'public', idempotency_key: 'shown' },
      WRITER
    ),
    'MESSAGE_NOT_FOUND',
    'nor is it in a first answer that was kept'
  )
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: 'x', parent_message_id: gone }, WRITER),
    'MESSAGE_NOT_FOUND'
  )

  for (const as of [WRITER, PEER, ADMIN]) {
    const read = await ok(other, 'get_messages', { session_id }, as)
    t.same([read.messages.map((message: any) => message.id), read.total_count, read.last_seq], [[first, reply], 2, 4])
    t.same(
      (await ok(other, 'get_messages', { session_id, limit: 1, offset: 1 }, as)).messages.map(
        (message: any) => message.id
      ),
      [first],
      'pages'
    )
    t.same(
      (await ok(other, 'get_messages', { session_id, parent_message_id: gone }, as)).messages.map((message: any) => [
        message.id,
        message.parent_message_id
      ]),
      [[reply, gone]],
      'an answer keeps its parent'
    )
    t.equal((await ok(other, 'get_session', { session_id }, as)).message_count, 2)
    for (const query of ['wombat', 'wobmat', '袋熊', '🐾', 'burrow', 'the wombat'])
      for (const where of [{ session_id }, {}])
        t.equal((await ok(other, 'search_context', { query, ...where }, as)).message_count, 0, query)
    t.equal((await ok(other, 'search_by_sender', { session_id, sender: 'writer' }, as)).count, 2)
    t.equal(
      (await ok(other, 'search_by_timerange', { session_id, start_time: '2020-01-01', end_time: '2999-01-01' }, as))
        .count,
      2
    )
  }
  t.same((await ok(app, 'get_session', { session_id }, PEER)).session.unread, { messages: 2, mentions: 0 })
  t.same(await left(session_id, [gone]), {})
  t.match((await ok(app, 'get_audit_log', { session_id, event_type: 'message_deleted' }, ADMIN)).entries, [
    { agent_id: 'writer', resource: `message:${gone}` }
  ])
})

t.test('rights: sender and admin, of what they may see', async t => {
  const session_id = await newSession(app, STRANGER)
  const own = await write(session_id, 'mine', { visibility: 'private' })
  for (const as of [PEER, STRANGER])
    isFailure(t, await call(app, 'delete_message', { message_id: own }, as), 'MESSAGE_NOT_FOUND', 'not theirs to see')
  await ok(app, 'close_session', { session_id }, STRANGER)
  await ok(app, 'delete_message', { message_id: own }, WRITER)
  await ok(app, 'update_session', { session_id, is_active: true }, STRANGER)
  const byAdmin = await write(session_id, 'removed by an admin')
  await ok(app, 'set_message_visibility', { message_id: byAdmin, visibility: 'admin_only' }, ADMIN)
  isFailure(
    t,
    await call(app, 'delete_message', { message_id: byAdmin }, WRITER),
    'MESSAGE_NOT_FOUND',
    'its sender cannot see it any more'
  )
  await ok(app, 'delete_message', { message_id: byAdmin }, ADMIN)
  const twice = await write(session_id, 'twice')
  const statuses = await Promise.all(
    [app, other, app].map(async on => (await call(on, 'delete_message', { message_id: twice }, WRITER)).status)
  )
  t.same(statuses.sort(), [200, 404, 404], 'of several at once one deletes it')
  t.equal((await ok(app, 'get_session', { session_id })).message_count, 0)
})

t.test('who could see it hears of it, from where it stood', async t => {
  const session_id = await newSession(app, WRITER)
  const ids: Record<string, number> = {}
  for (const visibility of ['public', 'private', 'agent_only'])
    ids[visibility] = await write(session_id, visibility, { visibility })
  // Seen by everybody at the cursor, hidden, then deleted.
  ids.hidden = await write(session_id, 'hidden')
  const cursor = (await ok(app, 'get_messages', { session_id }, WRITER)).last_seq as number
  const live = await openStream(there, events(session_id), STRANGER)
  await live.waitFor(all => all.length > 0)
  await ok(app, 'set_message_visibility', { message_id: ids.hidden, visibility: 'private' }, WRITER)
  for (const id of Object.values(ids)) await ok(app, 'delete_message', { message_id: id }, WRITER)
  await live.waitFor(() =>
    live.changes().some(({ event, data }) => event === 'message_deleted' && data.message_id === ids.hidden)
  )
  t.same(
    live
      .changes()
      .filter(({ event }) => event === 'message_deleted')
      .map(({ data }) => data.message_id),
    [ids.public, ids.hidden]
  )
  t.notOk(
    live.changes().some(({ data }) => data.message_id === ids.private || data.message_id === ids.agent_only),
    'nothing of what was not for it'
  )
  live.close()

  const told = {
    [WRITER.agent_id as string]: Object.values(ids),
    [PEER.agent_id as string]: [ids.public, ids.agent_only, ids.hidden],
    [STRANGER.agent_id as string]: [ids.public, ids.hidden],
    [ADMIN.agent_id as string]: Object.values(ids)
  }
  for (const as of [WRITER, PEER, STRANGER, ADMIN]) {
    for (const after of [0, cursor]) {
      const stream = await openStream(here, events(session_id, after), as)
      const expected = told[as.agent_id as string] as number[]
      await stream.waitFor(() => stream.changes().length >= expected.length)
      t.same(
        stream.changes().map(({ event, data }) => [event, data.message_id]),
        expected.map(id => ['message_deleted', id]),
        `${as.agent_id} after ${after}`
      )
      t.notMatch(stream.text(), /hidden"|"content/)
      stream.close()
    }
  }
})

t.test('counts stay right whatever is deleted', async t => {
  let seed = Number(process.env.SEED ?? Date.now() % 100_000)
  t.comment(`SEED=${seed}`)
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor(seed / 65536) % below
  }
  const session_id = await newSession(app, WRITER)
  const model: Array<{ id: number; visibility: string; sender: As }> = []
  const VISIBILITIES = ['public', 'private', 'agent_only']
  for (let step = 0; step < 60; step++) {
    const on = step % 2 === 0 ? app : other
    const one = model[random(Math.max(1, model.length))]
    const visibility = VISIBILITIES[random(3)] as string
    const kind = random(4)
    if (kind < 2 || one === undefined) {
      const sender = [WRITER, PEER, STRANGER][random(3)] as As
      const { message_id } = await ok(on, 'add_message', { session_id, content: `needle ${step}`, visibility }, sender)
      model.push({ id: message_id, visibility, sender })
    } else if (kind === 2) {
      await ok(on, 'set_message_visibility', { message_id: one.id, visibility }, one.sender)
      one.visibility = visibility
    } else {
      await ok(on, 'delete_message', { message_id: one.id }, one.sender)
      model.splice(model.indexOf(one), 1)
    }
  }
  for (const viewer of [WRITER, PEER, STRANGER, ADMIN]) {
    const seen = model.filter(
      ({ visibility, sender }) =>
        viewer === ADMIN ||
        visibility === 'public' ||
        (visibility === 'private' ? sender === viewer : sender.agent_type === viewer.agent_type)
    )
    const ids = seen.map(({ id }) => id)
    const unread = seen.filter(({ sender }) => sender !== viewer).length
    const [read, followed, session, listed, found] = await Promise.all([
      ok(app, 'get_messages', { session_id, limit: 1000 }, viewer),
      ok(other, 'get_messages', { session_id, after_seq: 0, limit: 1000 }, viewer),
      ok(app, 'get_session', { session_id }, viewer),
      ok(other, 'list_sessions', { query: session_id }, viewer),
      ok(app, 'search_context', { session_id, query: 'needle', limit: 100 }, viewer)
    ])
    t.same([read.messages.map((m: any) => m.id), read.total_count], [ids, ids.length], String(viewer.agent_id))
    t.same(
      followed.messages.map((m: any) => m.id).sort((a: number, b: number) => a - b),
      ids
    )
    t.same(
      [
        session.message_count,
        session.session.unread.messages,
        listed.sessions[0].message_count,
        listed.sessions[0].unread.messages
      ],
      [ids.length, unread, ids.length, unread]
    )
    t.same(
      found.results.map((r: any) => r.message.id).sort((a: number, b: number) => a - b),
      ids
    )
  }
})

t.test('a deleted session is nowhere any more, at once', async t => {
  const session_id = await newSession(app, WRITER, 'the doomed one')
  const message_id = await write(session_id, 'The pangolin rolls')
  await ok(app, 'set_memory', { session_id, key: 'inside', value: 1 }, PEER)
  await ok(app, 'mark_read', { session_id }, PEER)
  await ok(app, 'update_session', { session_id, purpose: 'the doomed one', idempotency_key: 'renamed' }, WRITER)
  for (const as of [PEER, STRANGER])
    isFailure(t, await call(app, 'delete_session', { session_id }, as), 'PERMISSION_DENIED')

  const stream = await openStream(there, events(session_id), STRANGER)
  const all = await openStream(there, '/mcp/events', STRANGER)
  await Promise.all([stream, all].map(client => client.waitFor(events => events.length > 0)))
  const waiting = call(other, 'wait_for_messages', { session_id, timeout_seconds: 50 }, PEER)
  await until(() => other.server.live.counts().followers >= 2, 'the wait')
  t.same(await ok(app, 'delete_session', { session_id, idempotency_key: 'end' }, WRITER), {
    success: true,
    deleted: true,
    session_id
  })

  isFailure(t, await waiting, 'SESSION_NOT_FOUND', 'a wait ends')
  await stream.waitFor(() => stream.events.at(-1)?.event === 'end')
  t.same(stream.events.at(-1)?.data, { reason: 'session_gone', resume: false }, 'a stream ends')
  await all.waitFor(() => all.changes().some(({ event }) => event === 'session_deleted'))
  t.match(
    all.changes().at(-1),
    { event: 'session_deleted', data: { session_id, seq: 3 } },
    'who follows all sessions is told'
  )
  all.close()
  isFailure(
    t,
    await call(other, 'wait_for_messages', { session_id, after_seq: 2, timeout_seconds: 50 }, PEER),
    'SESSION_NOT_FOUND',
    'a wait that comes later does not begin'
  )

  for (const on of [app, other]) {
    for (const [tool, args] of [
      ['get_session', {}],
      ['get_messages', {}],
      ['add_message', { content: 'x' }],
      ['mark_read', {}],
      ['search_context', { query: 'pangolin' }],
      ['set_memory', { key: 'k', value: 1 }],
      ['get_memory', { key: 'inside' }],
      ['list_memory', {}],
      ['close_session', {}],
      ['archive_session', {}],
      ['update_session', { is_active: true }],
      ['delete_session', {}],
      ['update_session', { purpose: 'the doomed one', idempotency_key: 'renamed' }]
    ] as const)
      isFailure(
        t,
        await call(on, tool, { session_id, ...args }, tool === 'get_memory' ? PEER : WRITER),
        'SESSION_NOT_FOUND',
        tool
      )
    for (const tool of ['delete_message', 'set_message_visibility'])
      isFailure(
        t,
        await call(on, tool, { message_id, ...(tool !== 'delete_message' && { visibility: 'private' }) }, WRITER),
        'MESSAGE_NOT_FOUND',
        tool
      )
    for (const query of ['pangolin', 'pagnolin', 'The pangolin rolls'])
      t.equal((await ok(on, 'search_context', { query }, ADMIN)).message_count, 0, query)
    t.equal((await ok(on, 'list_sessions', { query: 'the doomed one' })).count, 0)
    t.equal((await ok(on, 'list_memory', { session_id: 'all' }, PEER)).count, 0)
  }
  t.equal(
    (await ok(app, 'delete_session', { session_id, idempotency_key: 'end' }, WRITER)).deleted,
    true,
    'repeated with its key'
  )
  t.match((await ok(app, 'get_audit_log', { session_id, event_type: 'session_deleted' }, ADMIN)).entries, [
    { agent_id: 'writer', metadata: { last_seq: 2 } }
  ])
  await until(async () => {
    await sweepDeletedSessions(db, () => {})
    return Object.keys(await left(session_id)).join() === 'session_changes'
  }, 'its rows are swept')
  t.same(await left(session_id), { session_changes: 1 }, 'the deletion itself stays, for who comes back later')
})

t.test('a deletion whose hint was lost is noticed all the same', async t => {
  const session_id = await newSession(app, WRITER)
  await write(session_id, 'one')
  const stream = await openStream(here, events(session_id, 0), STRANGER)
  await stream.waitFor(() => stream.changes().length === 1)
  await db.deleteFrom('sessions').where('id', '=', session_id).execute()
  await stream.waitFor(() => stream.events.at(-1)?.event === 'end')
  t.match(stream.events.at(-1)?.data, { reason: 'session_gone' })
})

t.test('writers and a deletion at the same moment', async t => {
  const session_id = await newSession(app, WRITER)
  const writing = Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      call(n % 2 === 0 ? app : other, 'add_message', { session_id, content: `message ${n}` }, WRITER)
    )
  )
  await ok(app, 'delete_session', { session_id }, WRITER)
  const codes = new Set((await writing).map(({ body }) => body.code ?? 'written'))
  codes.delete('written')
  t.ok(codes.size === 0 || [...codes].join() === 'SESSION_NOT_FOUND', [...codes].join())
  await until(async () => {
    await sweepDeletedSessions(db, () => {})
    return (await left(session_id)).messages === undefined
  }, 'nothing was written after it')
})
