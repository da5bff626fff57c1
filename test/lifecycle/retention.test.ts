import { sql } from 'kysely'
import t from 'tap'
import { applyRetention, type Deps } from '../../src/lifecycle/store/retention.js'
import { type As, call, environment, listen, newSession, ok, runToEnd, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'
import { isFailure } from '../support/failure.js'

/** What goes by age: set by tool and by command, carried out in the background. */

const app = await startApp(t, { RETENTION_DAYS: '0' })
const base = await listen(app)
const { db } = app.database
const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const ADMIN: As = { agent_id: 'boss', admin: true }
const means: Deps = { db, publish: app.server.events.publish, stopping: () => false }

const write = async (session_id: string, content: string, more = {}): Promise<number> =>
  (await ok(app, 'add_message', { session_id, content, ...more }, WRITER)).message_id
/** As if it had been so many days ago. */
async function age(session_id: string, days: number, ids?: number[]): Promise<void> {
  const past = sql<string>`clock_timestamp() - make_interval(days => ${days}::int)`
  let messages = db.updateTable('messages').set({ timestamp: past }).where('session_id', '=', session_id)
  if (ids !== undefined) messages = messages.where('id', 'in', ids)
  else
    await db
      .updateTable('sessions')
      .set({ created_at: past, updated_at: past, last_message_at: past })
      .where('id', '=', session_id)
      .execute()
  await messages.execute()
  let changes = db.updateTable('session_changes').set({ changed_at: past }).where('session_id', '=', session_id)
  if (ids !== undefined) changes = changes.where('message_id', 'in', ids)
  await changes.execute()
}

t.test('off until it is set; what is of age goes, and nothing else', async t => {
  const open = await newSession(app, WRITER, 'open')
  const old = [
    await write(open, '@boss the old quagga', { metadata: { tag: 'striped' } }),
    await write(open, 'old and private', { visibility: 'private' })
  ]
  const kept = [await write(open, 'kept'), await write(open, 'an answer', { parent_message_id: old[0] })]
  const shown = await write(open, 'shown', { visibility: 'private' })
  await ok(app, 'set_message_visibility', { message_id: old[0], visibility: 'agent_only' }, WRITER)
  await ok(app, 'delete_message', { message_id: shown }, WRITER)
  await age(open, 40, old)
  const sessions: Record<string, string> = {}
  for (const [name, tool, days] of [
    ['closed', 'close_session', 40],
    ['archived', 'archive_session', 40],
    ['lately', 'close_session', 10],
    ['idle', undefined, 40]
  ] as const) {
    const session_id = (sessions[name] = await newSession(app, WRITER, name))
    await write(session_id, name)
    if (tool !== undefined) await ok(app, tool, { session_id }, WRITER)
    await age(session_id, days)
  }
  const stream = await openStream(base, `/mcp/sessions/${sessions.closed}/events`, WRITER)
  await stream.waitFor(events => events.length > 0)
  const behind = await openStream(base, `/mcp/sessions/${open}/events?after_seq=0`, WRITER)
  await behind.waitFor(() => behind.changes().length > 3)
  behind.close()

  t.same(await ok(app, 'get_retention', {}, ADMIN), {
    success: true,
    days: 0,
    source: 'server',
    server_days: 0,
    audit_days: 0,
    audit_source: 'server'
  })
  t.same(await applyRetention(means, 0), { messages: 0, sessions: 0 })
  isFailure(t, await call(app, 'set_retention', { days: 30 }, WRITER), 'PERMISSION_DENIED')
  for (const args of [{}, { days: 3, use_server_default: true }, { days: -1 }, { days: 1.5 }])
    isFailure(t, await call(app, 'set_retention', args, ADMIN), 'INVALID_INPUT')
  t.same(await ok(app, 'set_retention', { days: 30 }, ADMIN), {
    success: true,
    days: 30,
    source: 'workspace',
    server_days: 0,
    audit_days: 0,
    audit_source: 'server'
  })

  t.same(
    await applyRetention(means, 0),
    { messages: 3, sessions: 2 },
    'the idle session keeps itself, not its old message'
  )
  t.same(await applyRetention(means, 0), { messages: 0, sessions: 0 }, 'once')
  await stream.waitFor(() => stream.events.at(-1)?.event === 'end')
  t.match(stream.events.at(-1)?.data, { reason: 'session_gone' }, 'those who follow are told')

  for (const session_id of [sessions.closed, sessions.archived])
    isFailure(t, await call(app, 'get_session', { session_id }, ADMIN), 'SESSION_NOT_FOUND')
  for (const session_id of [sessions.lately, sessions.idle])
    t.equal((await call(app, 'get_session', { session_id }, ADMIN)).status, 200)
  const { messages, total_count, last_seq } = await ok(app, 'get_messages', { session_id: open }, ADMIN)
  t.same([messages.map(({ id }: any) => id), total_count, last_seq], [kept, 2, 7])
  t.equal((await ok(app, 'get_session', { session_id: open }, ADMIN)).message_count, 2)
  t.same((await ok(app, 'get_session', { session_id: open }, ADMIN)).session.unread, { messages: 2, mentions: 0 })
  for (const query of ['quagga', 'striped', 'private'])
    t.equal((await ok(app, 'search_context', { query }, ADMIN)).message_count, 0)
  t.same(
    (await ok(app, 'get_messages', { session_id: open, after_seq: 0 }, ADMIN)).messages.map(({ id }: any) => id),
    kept,
    'who comes with an old cursor gets what there is'
  )
  const after = await openStream(base, `/mcp/sessions/${open}/events?after_seq=0`, ADMIN)
  await after.waitFor(() => after.changes().some(({ event }) => event === 'message_deleted'))
  t.same(
    after.changes().map(({ data }) => data.message?.id ?? data.message_id),
    [...kept, shown]
  )
  await write(open, 'and on')
  await after.waitFor(() => after.changes().some(({ data }) => data.message?.content === 'and on'))
  after.close()

  const log = (event_type: string) => ok(app, 'get_audit_log', { event_type }, ADMIN)
  t.match((await log('retention_applied')).entries, [
    { agent_id: null, action: 'retention', metadata: { messages: 3, sessions: 2, days: 30 } }
  ])
  t.same(
    (await log('session_deleted')).entries.map((entry: any) => [entry.agent_id, entry.action, entry.session_id]).sort(),
    [sessions.closed, sessions.archived].map(id => [null, 'retention', id]).sort()
  )
  t.match((await log('retention_set')).entries, [{ agent_id: 'boss', metadata: { days: 30 } }])
})

t.test("many messages go in small batches, with the server's setting", async t => {
  await ok(app, 'set_retention', { use_server_default: true }, ADMIN)
  const session_id = await newSession(app, WRITER)
  for (let n = 0; n < 12; n++)
    await ok(
      app,
      'add_messages',
      {
        session_id,
        messages: Array.from({ length: 100 }, (_, i) => ({
          content: `message ${i}`,
          ...(i % 4 === 0 && { visibility: 'private' })
        }))
      },
      WRITER
    )
  await age(session_id, 3)
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'new' }, WRITER)
  const { messages } = await applyRetention(means, 2)
  // One more is that of a session which goes in the same run, if its sweep has not come by.
  t.ok([1200, 1201].includes(messages), `${messages}`)
  const { entries } = await ok(app, 'get_audit_log', { event_type: 'retention_applied', limit: 3 }, ADMIN)
  t.same(
    entries.map(({ metadata }: any) => metadata.messages),
    [messages - 1000, 500, 500],
    'each batch with its audit row'
  )
  t.same(
    (await ok(app, 'get_messages', { session_id }, ADMIN)).messages.map(({ id }: any) => id),
    [message_id]
  )
  t.equal((await ok(app, 'get_session', { session_id }, WRITER)).message_count, 1)
})

t.test('the command asks before messages go', async t => {
  const env = environment(app.url, { LOG_LEVEL: 'error' })
  const session_id = await newSession(app, WRITER)
  await ok(app, 'add_message', { session_id, content: 'old' }, WRITER)
  await age(session_id, 50)
  const gone = await newSession(app, WRITER)
  await ok(app, 'add_message', { session_id: gone, content: 'gone already' }, WRITER)
  await age(gone, 50)
  // As while the rows of a deleted session wait for their sweep.
  await sql`insert into deleted_sessions (workspace, session_id) values ('default', ${gone})`.execute(db)
  const unasked = await runToEnd(['retention', 'set', '40'], env)
  t.match(unasked, { code: 2, stdout: '', stderr: /the service deletes 1 message of .* confirm it with --yes/ })
  t.match(await ok(app, 'get_retention', {}, ADMIN), { source: 'server' }, 'nothing was changed')
  t.match(await runToEnd(['retention', 'set', '40', '--yes'], env), {
    code: 0,
    stdout: '40 days (set for this workspace)\n',
    stderr: /^Before: for ever\. The service deletes 1 message within the hour\.$/m
  })
  t.match(await runToEnd(['retention', 'set', '60'], env), { code: 0, stderr: /Before: 40 days\. Nothing is so old/ })
  t.match(await runToEnd(['retention', 'default'], env), { code: 0, stdout: 'for ever (RETENTION_DAYS)\n' })
})

t.test('the command', async t => {
  const env = environment(app.url, { LOG_LEVEL: 'error', RETENTION_DAYS: '365' })
  t.match(await runToEnd(['retention'], env), { code: 0, stdout: '365 days (RETENTION_DAYS)\n' })
  t.match(await runToEnd(['retention', 'set', '0'], env), { code: 0, stdout: 'for ever (set for this workspace)\n' })
  t.match(await ok(app, 'get_retention', {}, ADMIN), { days: 0, source: 'workspace' })
  t.match(await runToEnd(['retention', 'default'], env), { code: 0, stdout: '365 days (RETENTION_DAYS)\n' })
  t.match(JSON.parse((await runToEnd(['retention', '--json'], env)).stdout), {
    workspace: 'default',
    of: 'data',
    days: 365,
    source: 'server'
  })
  t.match(await runToEnd(['retention', 'set', '9', '--workspace', 'defalt'], env), {
    code: 1,
    stdout: '',
    stderr: /There is no workspace 'defalt'\. Did you mean default\?/
  })
})
