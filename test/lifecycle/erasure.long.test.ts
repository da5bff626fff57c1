import t from 'tap'
import { eraseAgents } from '../../src/lifecycle/store/erased-agents.js'
import { type As, call, environment, listen, newSession, ok, runToEnd, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'
import { until } from '../support/until.js'
import { isFailure } from '../support/failure.js'

/** erase_agent: by tool and by command. */

const app = await startApp(t)
const base = await listen(app)
const { db } = app.database
const ADMIN: As = { agent_id: 'boss', admin: true }
const PEER: As = { agent_id: 'peer', agent_type: 'red' }

const erased = () => until(() => eraseAgents(db, app.server.events.publish), 'all erasures')

/** Every place where the name still stands, but for the audit log. */
async function traces(name: string): Promise<string[]> {
  const found: string[] = []
  for (const table of [
    'sessions',
    'messages',
    'session_changes',
    'agent_memory',
    'tokens',
    'mcp_sessions',
    'idempotency_keys',
    'message_terms',
    'search_pending',
    'agents',
    'read_cursors',
    'session_presence',
    'erased_agents'
  ] as const) {
    const rows = await db.selectFrom(table).selectAll().execute()
    if (JSON.stringify(rows).includes(name)) found.push(table)
  }
  return found
}

t.test('what an agent has left goes, but for the audit log', async t => {
  const name = 'jane.doe'
  const { token } = await ok(app, 'authenticate_agent', { agent_id: name, agent_type: 'red' })
  const JANE: As = { token }
  const own = await newSession(app, JANE, 'opened by her')
  const peers = await newSession(app, PEER, 'opened by a peer')
  for (const session_id of [own, peers]) {
    for (const visibility of ['public', 'private', 'agent_only'])
      await ok(
        app,
        'add_message',
        {
          session_id,
          content: `The ibis ${visibility}`,
          visibility,
          metadata: { by: 'ibis' },
          idempotency_key: `${session_id} ${visibility}`
        },
        JANE
      )
    await ok(app, 'mark_read', { session_id }, JANE)
    await ok(app, 'set_memory', { session_id, key: 'k', value: 'secret' }, JANE)
  }
  await ok(app, 'set_memory', { key: 'k', value: 'secret' }, JANE)
  await ok(app, 'update_session', { session_id: own, metadata: { a: 1 } }, JANE)
  const { message_id } = await ok(app, 'add_message', { session_id: peers, content: 'An answer' }, PEER)
  const withdrawn = (await ok(app, 'add_message', { session_id: peers, content: 'withdrawn' }, JANE)).message_id
  await ok(app, 'delete_message', { message_id: withdrawn }, JANE)
  await ok(app, 'search_context', { query: 'ibis' }, PEER)
  const stream = await openStream(base, `/mcp/sessions/${peers}/events`, PEER)
  await stream.waitFor(events => events.length > 0)
  // A like name is another agent.
  await ok(
    app,
    'add_message',
    { session_id: peers, content: 'The ibis of another' },
    { agent_id: `${name}2`, agent_type: 'red' }
  )

  for (const as of [PEER, JANE])
    isFailure(t, await call(app, 'erase_agent', { agent_id: name }, as), 'PERMISSION_DENIED')
  const answer = await ok(app, 'erase_agent', { agent_id: name, idempotency_key: 'once' }, ADMIN)
  t.match(answer, { agent_id: name, pseudonym: /^erased-[0-9a-f]{16}$/, revoked_tokens: 1, deleted_memory: 3 })
  t.same(await ok(app, 'erase_agent', { agent_id: name, idempotency_key: 'once' }, ADMIN), answer)
  // Until the end of its token is known, calls are still taken: they leave nothing either.
  const late = await call(app, 'create_session', { purpose: 'opened too late' }, JANE)
  const lateMessages = (await call(app, 'add_message', { session_id: peers, content: 'The ibis too late' }, JANE)).body
    .success
    ? 1
    : 0
  await call(app, 'set_memory', { key: 'k', value: 'too late' }, JANE)
  await call(app, 'mark_read', { session_id: peers }, JANE)
  await until(
    async () => (await call(app, 'list_sessions', {}, JANE)).body.code === 'TOKEN_REVOKED',
    'its token is refused'
  )
  await erased()

  await stream.waitFor(
    () => stream.changes().filter(({ event }) => event === 'message_deleted').length === 2 + lateMessages
  )
  t.notOk(
    JSON.stringify(stream.changes().filter(({ event }) => event === 'message_deleted')).includes(name),
    'those who follow are told, without the name'
  )
  stream.close()
  t.same(
    (await ok(app, 'get_messages', { session_id: peers }, ADMIN)).messages.map((message: any) => message.sender),
    ['peer', `${name}2`]
  )
  t.equal((await ok(app, 'get_session', { session_id: peers }, PEER)).message_count, 2)
  t.equal((await ok(app, 'search_context', { query: 'ibis' }, ADMIN)).message_count, 1)
  const { session, message_count } = await ok(app, 'get_session', { session_id: own }, PEER)
  t.match([session.created_by, message_count, session.purpose], [answer.pseudonym, 0, 'opened by her'])
  t.same(
    (await ok(app, 'list_sessions', { created_by: answer.pseudonym })).sessions.map(({ id }: any) => id),
    late.body.success ? [late.body.session_id, own] : [own]
  )
  const left = await traces(`"${name}"`)
  t.same(left, ['idempotency_keys'], 'the answer to the erasure itself, for a day')
  t.equal((await ok(app, 'get_messages', { session_id: peers }, PEER)).messages[0].id, message_id)

  const { entries } = await ok(app, 'get_audit_log', { agent_id: name }, ADMIN)
  t.ok(entries.length > 8, 'its audit rows stay')
  const log = async (event_type: string) => (await ok(app, 'get_audit_log', { event_type }, ADMIN)).entries
  t.match(await log('agent_erased'), [{ agent_id: 'boss', metadata: { of_agent: name, pseudonym: answer.pseudonym } }])
  t.match(await log('agent_erasure_finished'), [
    { agent_id: null, metadata: { of_agent: name, messages: 6 + lateMessages } }
  ])

  await ok(app, 'add_message', { session_id: peers, content: 'back' }, { agent_id: name, agent_type: 'red' })
  await erased()
  t.equal(
    (await ok(app, 'get_messages', { session_id: peers, sender: name }, PEER)).count,
    1,
    'who comes with the name later begins anew'
  )
})

t.test('the command waits until it is done', async t => {
  const MANY: As = { agent_id: 'many', agent_type: 'red' }
  const sessions = await Promise.all(Array.from({ length: 3 }, () => newSession(app, MANY)))
  for (const session_id of sessions)
    for (let n = 0; n < 6; n++)
      await ok(
        app,
        'add_messages',
        { session_id, messages: Array.from({ length: 100 }, (_, i) => ({ content: `message ${i}` })) },
        MANY
      )
  const env = environment(app.url, { LOG_LEVEL: 'error' })
  const unasked = await runToEnd(['erase-agent', 'many'], env)
  t.match(unasked, {
    code: 2,
    stdout: '',
    stderr: /1800 messages in 3 sessions.*without a terminal, confirm it with --yes/
  })
  t.match(await runToEnd(['erase-agent', 'mnay', '--yes'], env), {
    code: 1,
    stdout: '',
    stderr: /The workspace default has nothing of an agent 'mnay'\. Did you mean many\?/
  })
  t.match(await runToEnd(['erase-agent', 'many', '--workspace', 'defualt', '--yes'], env), {
    code: 1,
    stderr: /There is no workspace 'defualt'\. Did you mean default\?/
  })
  t.equal((await ok(app, 'get_messages', { session_id: sessions[0], limit: 1 }, MANY)).count, 1, 'nothing was changed')
  const done = await runToEnd(['erase-agent', 'many', '--yes'], env)
  t.match(done, { code: 0, stdout: /^erased-[0-9a-f]{16}\n$/, stderr: /Erased many: 1800 messages/ })
  t.same(await traces('"many"'), [])
  for (const session_id of sessions)
    t.match(await ok(app, 'get_session', { session_id }, ADMIN), {
      message_count: 0,
      session: { created_by: done.stdout.trim() }
    })
  t.match((await ok(app, 'get_audit_log', { event_type: 'agent_erasure_finished', limit: 1 }, ADMIN)).entries, [
    { metadata: { of_agent: 'many', messages: 1800 } }
  ])

  await ok(app, 'set_memory', { key: 'k', value: 1 }, { agent_id: 'few' })
  const json = await runToEnd(['erase-agent', 'few', '--yes', '--json'], env)
  t.match(JSON.parse(json.stdout), {
    workspace: 'default',
    agent_id: 'few',
    pseudonym: /^erased-/,
    deleted_messages: 0,
    deleted_memory: 1
  })
})
