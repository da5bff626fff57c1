import { sql } from 'kysely'
import t from 'tap'
import { eraseAgents } from '../../src/lifecycle/store/erased-agents.js'
import { applyRetention } from '../../src/lifecycle/store/retention.js'
import { newSession, ok, startApp } from '../helper.js'
import { until } from '../support/until.js'

/** How receipts, inboxes and addressees end. */

const app = await startApp(t, { RETENTION_DAYS: '0' })
const { db } = app.database
const SENDER = { agent_id: 'sender', agent_type: 'red' }
const ADMIN = { agent_id: 'boss', admin: true }

async function traces(name: string): Promise<string[]> {
  const found: string[] = []
  for (const table of [
    ...(['messages', 'message_terms', 'session_changes', 'sessions', 'idempotency_keys'] as const),
    ...(['inbox', 'receipts', 'agents', 'agent_waits'] as const)
  ]) {
    const rows = await db.selectFrom(table).selectAll().execute()
    if (JSON.stringify(rows).includes(name)) found.push(table)
  }
  return found
}

t.test('an erased agent is no addressee any more, and a later one of its name sees nothing', async t => {
  const ME = { agent_id: 'jane.doe', agent_type: 'blue' }
  const session_id = await newSession(app, SENDER)
  const to = ['jane.doe', 'peer']
  const direct = { session_id, content: 'The ibis', visibility: 'direct', to }
  const { message_id } = await ok(app, 'add_message', { ...direct, idempotency_key: 'once' }, SENDER)
  await ok(app, 'ask', { to: 'jane.doe', content: 'The ibis?', timeout_seconds: 0 }, SENDER)
  const { message_id: gone } = await ok(app, 'add_message', direct, SENDER)
  await ok(app, 'delete_message', { message_id: gone }, SENDER)
  await ok(app, 'search_context', { query: 'ibis' }, ME)
  await ok(app, 'ack_messages', { message_ids: [message_id], note: 'mine' }, ME)
  await ok(app, 'set_status', { status: 'here' }, ME)
  t.equal((await ok(app, 'get_inbox', {}, ME)).count, 2)
  await ok(app, 'erase_agent', { agent_id: 'jane.doe' }, ADMIN)
  await until(() => eraseAgents(db, app.server.events.publish), 'the erasure')
  t.same(await traces('jane.doe'), [])
  t.match((await ok(app, 'get_messages', { session_id }, { agent_id: 'peer' })).messages, [
    { to: [/^erased-/, 'peer'] }
  ])
  t.equal((await ok(app, 'get_inbox', {}, ME)).count, 0)
  t.equal((await ok(app, 'get_messages', { session_id }, ME)).count, 0)
  t.equal((await ok(app, 'search_context', { query: 'ibis' }, ME)).message_count, 0)
  const peers = { agent_id: 'peer', agent_type: 'blue' }
  t.equal((await ok(app, 'search_context', { query: 'ibis' }, peers)).message_count, 1, 'the others keep theirs')
})

t.test('with messages that are of age their receipts go', async t => {
  const me = { agent_id: 'reader', agent_type: 'blue' }
  const session_id = await newSession(app, SENDER)
  const ids: number[] = []
  for (const visibility of ['public', 'direct'])
    ids.push(
      (await ok(app, 'add_message', { session_id, content: 'x', visibility, to: ['reader'] }, SENDER)).message_id
    )
  await ok(app, 'ack_messages', { message_ids: ids }, me)
  await db
    .updateTable('messages')
    .set({ timestamp: sql<string>`clock_timestamp() - interval '40 days'` })
    .where('id', '=', ids[1] as number)
    .execute()
  await applyRetention({ db, publish: app.server.events.publish, stopping: () => false }, 30)
  for (const table of ['inbox', 'receipts'] as const)
    t.same(
      (await db.selectFrom(table).select('message_id').where('message_id', 'in', ids).execute()).map(
        row => row.message_id
      ),
      [ids[0]],
      table
    )
  t.equal((await ok(app, 'get_inbox', {}, me)).count, 1)
})
