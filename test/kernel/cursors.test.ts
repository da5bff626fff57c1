import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** A cursor goes on where its own list stopped. With other arguments, or another tool, it is refused. */

const app = await startApp(t, { AUDIT_HMAC_KEY: '6f0d8c1b2a394857'.repeat(4) })
const session_id = await newSession(app)
const other_session_id = await newSession(app)
for (const content of ['one', 'two', 'three']) await ok(app, 'add_message', { session_id, content })
for (const title of ['a', 'b', 'c']) await ok(app, 'create_task', { title })
const admin = { admin: true }
for (const agent_id of ['one', 'two', 'three'])
  await ok(app, 'create_api_key', { agent_id, agent_type: 'custom', permissions: ['read'] }, admin)

const lists: Array<[tool: string, args: Record<string, unknown>, others: Record<string, unknown>]> = [
  ['list_sessions', { active: true }, { active: false }],
  ['list_sessions', {}, { metadata_filter: { a: 1 } }],
  ['list_tasks', {}, { state: 'open' }],
  ['list_tasks', { ready: true }, { ready: true, created_by: 'agent-1' }],
  ['list_api_keys', {}, { include_revoked: true }],
  ['get_audit_log', { event_type: 'message_added' }, {}],
  ['get_audit_log', {}, { session_id }],
  ['export_session', { session_id }, { session_id: other_session_id }],
  ['search_by_sender', { session_id, sender: 'agent-1' }, { session_id, sender: 'agent-2' }],
  ['list_agents', {}, { agent_type: 'custom' }]
]

let last: string | undefined
for (const [tool, args, others] of lists)
  t.test(`${tool} ${JSON.stringify(args)}`, async t => {
    const { next_cursor } = await ok(app, tool, { ...args, limit: 1 }, admin)
    if (tool !== 'list_agents') t.type(next_cursor, 'string')
    if (typeof next_cursor !== 'string') return
    const next = await ok(app, tool, { ...args, limit: 1, cursor: next_cursor }, admin)
    t.not(next.next_cursor, next_cursor, 'it goes on')
    isFailure(t, await call(app, tool, { ...others, limit: 1, cursor: next_cursor }, admin), 'INVALID_INPUT')
    last = next_cursor
  })

t.test('a cursor of another tool', async t => {
  for (const tool of ['list_sessions', 'list_tasks', 'list_api_keys', 'get_audit_log', 'verify_audit_log'])
    isFailure(t, await call(app, tool, { cursor: last }, admin), 'INVALID_INPUT')
})
