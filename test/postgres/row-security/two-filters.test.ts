import { inWorkspace } from '../../../src/postgres/scope.js'
import { createMessageWriter } from '../../../src/messages/store/message-writer.js'
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { changesSince } from '../../feed/changes.js'
import { BEHIND_VIEWS } from '../../../src/postgres/row-security.js'
import { call, listen, ok, startApp, type TestApp } from '../../helper.js'
import { isFailure } from '../../support/failure.js'

/**
 * Two workspaces with the same agents, keys and words in them: what one sees of the other. With both filters, and with
 * the first alone.
 */

interface Side {
  token: string
  session_id: string
  message_id: number
}

async function live(app: TestApp, workspace: string): Promise<Side> {
  const { token } = app.server.verifiers.tokens.sign(
    { workspace, agent_id: 'agent-1', agent_type: 'custom', permissions: ['read', 'write', 'admin'] },
    randomUUID()
  )
  const { session_id } = await ok(app, 'create_session', { purpose: `plans of ${workspace}` }, { token })
  const { message_id } = await ok(
    app,
    'add_message',
    { session_id, content: `the walrus of ${workspace}, @agent-2`, idempotency_key: 'same' },
    { token }
  )
  await ok(app, 'add_message', { session_id, content: 'an answer', parent_message_id: message_id }, { token })
  await ok(app, 'set_message_visibility', { message_id, visibility: 'agent_only' }, { token })
  await ok(app, 'update_session', { session_id, metadata: { of: workspace } }, { token })
  await ok(app, 'set_memory', { key: 'same', value: workspace, idempotency_key: 'same as well' }, { token })
  await ok(app, 'mark_read', { session_id }, { token })
  return { token, session_id, message_id }
}

/** Everything that a caller of a workspace is told names that workspace alone. */
async function apart(t: Test, app: TestApp): Promise<void> {
  const url = await listen(app)
  const sides: Record<string, Side> = { north: await live(app, 'north'), south: await live(app, 'south') }
  for (const [mine, theirs] of [
    ['north', 'south'],
    ['south', 'north']
  ] as const) {
    const { token } = sides[mine] as Side
    const own = sides[mine] as Side
    const foreign = sides[theirs] as Side
    for (const [tool, args] of [
      ['list_sessions', {}],
      ['list_sessions', { query: 'plans' }],
      ['get_session', { session_id: own.session_id }],
      ['get_messages', { session_id: own.session_id }],
      ['search_context', { query: 'walrus' }],
      ['search_context', { query: 'warlus' }],
      ['list_memory', { session_id: 'all' }],
      ['get_memory', { key: 'same' }],
      ['get_audit_log', { limit: 1000 }],
      ['wait_for_messages', { session_id: own.session_id, after_seq: 0, timeout_seconds: 0 }]
    ] as const) {
      const answer = JSON.stringify(await ok(app, tool, args, { token }))
      t.ok(!answer.includes(theirs) && !answer.includes(foreign.session_id), `${tool} tells nothing of a neighbour`)
      t.ok(
        /search_context|list_sessions/.test(tool) ? answer.includes(own.session_id) : true,
        `${tool} tells one's own`
      )
    }
    t.equal((await ok(app, 'get_memory', { key: 'same' }, { token })).value, mine)
    for (const [tool, args] of [
      ['get_session', {}],
      ['get_messages', {}],
      ['add_message', { content: 'x' }],
      ['update_session', { purpose: 'x' }],
      ['mark_read', {}],
      ['search_context', { query: 'walrus' }],
      ['wait_for_messages', { timeout_seconds: 0 }],
      ['set_memory', { key: 'k', value: 1 }],
      ['search_by_sender', { sender: 'agent-1' }]
    ] as const)
      isFailure(t, await call(app, tool, { session_id: foreign.session_id, ...args }, { token }), 'SESSION_NOT_FOUND')
    isFailure(
      t,
      await call(app, 'set_message_visibility', { message_id: foreign.message_id, visibility: 'public' }, { token }),
      'MESSAGE_NOT_FOUND'
    )
    isFailure(
      t,
      await call(
        app,
        'add_message',
        { session_id: own.session_id, content: 'x', parent_message_id: foreign.message_id },
        { token }
      ),
      'MESSAGE_NOT_FOUND'
    )

    const answer = await fetch(`${url}/sessions/${foreign.session_id}/events`, {
      headers: { authorization: `Bearer ${token}` }
    })
    t.equal(answer.status, 404, 'the stream of a session')
    await answer.body?.cancel()
  }
  // All of one's tokens in one workspace: the same agent's of the other live on.
  t.equal(
    (await ok(app, 'revoke_token', { token: (sides.south as Side).token }, { token: (sides.north as Side).token }))
      .revoked,
    1
  )
  t.equal((await call(app, 'list_sessions', {}, { token: (sides.north as Side).token })).status, 200)
}

const both = await startApp(t)
t.test('with both filters', async t => {
  await apart(t, both)
})

t.test('what is asked of another workspace is not there, whatever the conditions say', async t => {
  const {
    rows: [session]
  } = await sql<{ id: string }>`select id from sessions where workspace = 'north'`.execute(both.database.db)
  const viewer = {
    workspace: 'north',
    agent_id: 'agent-1',
    agent_type: 'custom',
    permissions: ['read' as const, 'admin' as const]
  }
  const { db } = both.server.database
  t.ok(await changesSince(inWorkspace(db, 'north'), viewer, session?.id as string, 0, 100))
  t.equal(await changesSince(inWorkspace(db, 'south'), viewer, session?.id as string, 0, 100), undefined)
  // A batch is told its writer's workspace; no condition of the statement stands between it and another's session.
  await t.rejects(
    createMessageWriter(db, both.server.quotas).write({
      sender: { ...viewer, workspace: 'south' },
      session_id: session?.id as string,
      drafts: [{ content: 'x', visibility: 'public', metadata: {} }],
      audit: {
        workspace: 'south',
        event_type: 'x',
        agent_id: 'x',
        session_id: null,
        action: 'x',
        resource: null,
        result: 'success',
        request_id: 'x',
        metadata: {}
      }
    }),
    { code: 'SESSION_NOT_FOUND' }
  )
})

t.test('with the conditions of the queries alone', async t => {
  const app = await startApp(t)
  const { rows: tables } = await sql<{ name: string }>`select polrelid::regclass::text as name from pg_policy`.execute(
    app.database.db
  )
  t.ok(tables.length > 10)
  for (const { name } of tables)
    await sql`alter table ${sql.table(name)} no force row level security, disable row level security`.execute(
      app.database.db
    )
  for (const [table, view] of Object.entries(BEHIND_VIEWS))
    await sql`create or replace view ${sql.table(view)} as select * from ${sql.table(table)}`.execute(app.database.db)
  await apart(t, app)
})
