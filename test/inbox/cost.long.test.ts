import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { countStatements } from '../support/statements.js'
import { until } from '../support/until.js'

/** What many who wait cost: as much as many calls of wait_for_messages do. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const MANY = 60
/** Statements that do not depend on how many wait: of presence, waits, and readings for all together. */
const FEW = 30

t.test('nothing is asked for each of them, neither while nothing comes nor by what is for others', async t => {
  const session_id = await newSession(app)
  const agents = Array.from({ length: MANY }, (_, i) => ({ agent_id: `agent-${i}`, agent_type: 'waiter' }))
  const asking = agents.map(as =>
    call(other, 'ask', { to: 'nobody', content: 'q', session_id, timeout_seconds: 15 }, as)
  )
  const waiting = agents.map(as => call(other, 'wait_for_inbox', { timeout_seconds: 15 }, as))
  await until(() => other.server.waiters.taken === 2 * MANY, 'all wait')
  // Their first looks, and what is written of them.
  await new Promise(resolve => setTimeout(resolve, 1500))
  const asked = countStatements(t, other)
  await new Promise(resolve => setTimeout(resolve, 1500))
  t.ok(asked.length <= FEW, `${asked.length} statements for ${2 * MANY} who wait, while nothing comes`)
  asked.length = 0
  for (let i = 0; i < 5; i++)
    await ok(app, 'add_message', { session_id, content: 'x', to: ['somebody'] }, { agent_id: 'sender' })
  await new Promise(resolve => setTimeout(resolve, 500))
  t.ok(asked.length <= FEW, `${asked.length} statements for 5 messages to others`)
  asked.length = 0
  await ok(app, 'add_message', { session_id, content: 'x', to: ['agent-0'] }, { agent_id: 'sender' })
  t.match((await waiting[0])?.body, { count: 1, timed_out: false }, 'whom it is for is woken')
  t.ok(asked.length <= FEW, `${asked.length} statements for one that is woken`)
  const answers = await Promise.all([...asking, ...waiting.slice(1)])
  t.ok(answers.every(({ body }) => body.timed_out === true))
})
