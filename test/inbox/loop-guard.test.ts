import t from 'tap'
import { type App } from '../../src/app.js'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** Two agents that answer nothing but each other, again and again. */

const app = await startApp(t)
const guarded = await startApp(t, { LOOP_GUARD: '4' }, { url: app.url })
const A = { agent_id: 'a', agent_type: 'red' }
const B = { agent_id: 'b', agent_type: 'red' }

/** An exchange of so many replies. @returns the last message, and whose turn it is */
async function exchange(session_id: string, replies: number, on: App = app) {
  let last = await ok(on, 'add_message', { session_id, content: 'begin' }, A)
  let [next, then] = [B, A]
  for (let i = 0; i < replies; i++) {
    last = await ok(on, 'add_message', { session_id, content: 'on', parent_message_id: last.message_id }, next)
    ;[next, then] = [then, next]
  }
  return { last, next }
}
const reply = (session_id: string, parent_message_id: number) => ({ session_id, content: 'on', parent_message_id })

t.test('beyond 60 replies there is a warning, and nothing is refused', async t => {
  const session_id = await newSession(app)
  const { last, next } = await exchange(session_id, 60)
  t.notOk('warnings' in last)
  t.match(await ok(app, 'add_message', reply(session_id, last.message_id), next), { warnings: [/stop answering/] })
  const many = { session_id, messages: [{ content: 'x', parent_message_id: last.message_id }] }
  t.match(await ok(app, 'add_messages', many, next), { warnings: [/stop answering/] })
})

t.test('with LOOP_GUARD they are refused, and nothing is written', async t => {
  const session_id = await newSession(app)
  const { last, next } = await exchange(session_id, 4, guarded)
  const refused = await call(guarded, 'add_message', reply(session_id, last.message_id), next)
  isFailure(t, refused, 'CONFLICT')
  t.ok(refused.body.suggestions.length > 0)
  t.equal((await ok(app, 'get_messages', { session_id })).total_count, 5)
  await ok(guarded, 'add_message', { session_id, content: 'what answers nothing' }, next)
})

t.test('what is no strict exchange of two never counts', async t => {
  const session_id = await newSession(app)
  const { last, next } = await exchange(session_id, 4, guarded)
  const third = { agent_id: 'c', agent_type: 'red' }
  const of_third = await ok(guarded, 'add_message', reply(session_id, last.message_id), third)
  await ok(guarded, 'add_message', reply(session_id, of_third.message_id), next)
  const own = await newSession(app)
  let message = await ok(guarded, 'add_message', { session_id: own, content: 'x' }, A)
  for (let i = 0; i < 8; i++) message = await ok(guarded, 'add_message', reply(own, message.message_id), A)
  const old = await newSession(app)
  const ended = await exchange(old, 4, guarded)
  await app.database.db
    .updateTable('messages')
    .set({ timestamp: '2020-01-01T00:00:00.000Z' })
    .where('session_id', '=', old)
    .execute()
  await ok(guarded, 'add_message', reply(old, ended.last.message_id), ended.next)
  t.pass('nothing was refused')
})
