import t from 'tap'
import { eraseAgents } from '../../src/lifecycle/store/erased-agents.js'
import { applyRetention } from '../../src/lifecycle/store/retention.js'
import { type As, newSession, ok, startApp } from '../helper.js'
import { holding, waits } from '../support/holding.js'
import { until } from '../support/until.js'

/** What others do while data ends. */

const app = await startApp(t)
const { db } = app.database
const { publish } = app.server.events
const ADA: As = { agent_id: 'ada' }
const EVE: As = { agent_id: 'eve' }
const BOB: As = { agent_id: 'bob' }
const ADMIN: As = { agent_id: 'boss', admin: true }

t.test('who sets retention to for ever loses nothing to the round that goes on', async t => {
  const session_id = await newSession(app)
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'kept after all' })
  await app.database.pool.query("update messages set timestamp = now() - interval '40 days' where id = $1", [
    message_id
  ])
  await ok(app, 'set_retention', { days: 30 }, ADMIN)
  const held = await holding(t, app, `select from sessions where id = '${session_id}' for update`)
  const round = applyRetention({ db, publish, stopping: () => false }, 0)
  await waits(app, 'order by "id" for update')
  await ok(app, 'set_retention', { days: 0 }, ADMIN)
  await held.release()
  t.same(await round, { messages: 0, sessions: 0 })
  t.equal((await ok(app, 'get_messages', { session_id })).count, 1)
})

t.test('what is written into a shared namespace while its owner is erased stays, and the erasure ends', async t => {
  const value = { namespace: 'team', key: 'plan' }
  await ok(app, 'set_namespace', { namespace: 'team', readers: [], writers: ['*'] }, ADA)
  await ok(app, 'set_memory', { ...value, value: 'before' }, BOB)
  const held = await holding(t, app, 'lock table audit_log in exclusive mode')
  const erasing = ok(app, 'erase_agent', { agent_id: 'ada' }, ADMIN)
  await waits(app, 'insert into audit_log')
  // It has found the owner, and waits for the value.
  const writing = ok(app, 'set_memory', { ...value, value: 'meanwhile' }, BOB)
  await waits(app, 'with wanted as materialized')
  await held.release()
  await Promise.all([erasing, writing])
  await until(() => eraseAgents(db, publish), 'the erasure')
  t.match(await ok(app, 'get_memory', value, BOB), { value: 'meanwhile', updated_by: 'bob' })
})

t.test('an agent that is asked while it is erased is erased all the same', async t => {
  await ok(app, 'ask', { to: 'bob', content: 'first', timeout_seconds: 0 }, EVE)
  await ok(app, 'erase_agent', { agent_id: 'eve' }, ADMIN)
  await eraseAgents(db, publish)
  await ok(app, 'ask', { to: 'eve', content: 'second', timeout_seconds: 0 }, BOB)
  // However slow this machine is: within the time in which a replica may not know of the erasure.
  await app.database.pool.query(
    "update sessions set created_at = erased_at from erased_agents where 'eve' = any(between_agents)"
  )
  await until(() => eraseAgents(db, publish), 'the erasure')
  const { rows } = await app.database.pool.query("select from sessions where 'eve' = any(between_agents)")
  t.equal(rows.length, 0)
})
