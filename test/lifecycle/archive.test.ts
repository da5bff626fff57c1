import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** close_session and archive_session. */

const app = await startApp(t)
const CREATOR = { agent_id: 'creator' }
const OTHER = { agent_id: 'other' }
const ADMIN = { agent_id: 'boss', admin: true }

const ids = ({ sessions }: any): string[] => sessions.map((session: any) => session.id)
const searched = async (query: string, more = {}): Promise<number> =>
  (await ok(app, 'search_context', { query, ...more }, OTHER)).message_count

t.test('close_session is update_session with is_active: false', async t => {
  const session_id = await newSession(app, CREATOR)
  isFailure(t, await call(app, 'close_session', { session_id }, OTHER), 'PERMISSION_DENIED')
  t.match(await ok(app, 'close_session', { session_id }, CREATOR), {
    session: { id: session_id, is_active: false, archived_at: null }
  })
  isFailure(t, await call(app, 'add_message', { session_id, content: 'late' }, OTHER), 'SESSION_CLOSED')
  const { last_seq } = await ok(app, 'get_messages', { session_id })
  await ok(app, 'close_session', { session_id }, ADMIN)
  t.equal((await ok(app, 'get_messages', { session_id })).last_seq, last_seq, 'again, it changes nothing')
  t.ok(ids(await ok(app, 'list_sessions', { active: false })).includes(session_id))
})

t.test('an archived session is closed, and found by its id alone', async t => {
  const session_id = await newSession(app, CREATOR, 'the archived one')
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'The axolotl sleeps' }, OTHER)
  await ok(app, 'set_memory', { session_id, key: 'k', value: 1 }, OTHER)
  t.equal(await searched('axolotl'), 1)
  isFailure(t, await call(app, 'archive_session', { session_id }, OTHER), 'PERMISSION_DENIED')
  isFailure(
    t,
    await call(app, 'archive_session', { session_id: 'session_0123456789abcdef' }, CREATOR),
    'SESSION_NOT_FOUND'
  )

  const { session } = await ok(app, 'archive_session', { session_id }, CREATOR)
  t.match(session, { id: session_id, is_active: false, archived_at: /Z$/, message_count: 1 })
  const again = await ok(app, 'archive_session', { session_id }, ADMIN)
  t.equal(again.session.archived_at, session.archived_at, 'again, it changes nothing')

  for (const filter of [
    {},
    { active: false },
    { created_by: 'creator' },
    { query: 'the archived one' },
    { query: session_id }
  ])
    t.notOk(
      ids(await ok(app, 'list_sessions', filter)).includes(session_id),
      `not listed with ${JSON.stringify(filter)}`
    )
  t.same(ids(await ok(app, 'list_sessions', { archived: true })), [session_id])
  for (const query of ['axolotl', 'axoltol', 'The axolotl sleeps', 'ax', 'other']) {
    t.equal(await searched(query), 0, `not found by ${query}`)
    t.equal((await searched(query, { session_id, fuzzy_threshold: 0 })) > 0, true, `found in it by ${query}`)
  }

  t.equal((await ok(app, 'get_messages', { session_id }, OTHER)).messages[0].id, message_id)
  t.equal((await ok(app, 'get_session', { session_id }, OTHER)).session.archived_at, session.archived_at)
  t.equal((await ok(app, 'get_memory', { session_id, key: 'k' }, OTHER)).value, 1)
  isFailure(t, await call(app, 'add_message', { session_id, content: 'late' }, OTHER), 'SESSION_CLOSED')

  t.match(await ok(app, 'update_session', { session_id, is_active: true }, CREATOR), {
    session: { is_active: true, archived_at: null }
  })
  t.ok(ids(await ok(app, 'list_sessions', { query: 'the archived one' })).includes(session_id), 'reopened, it is back')
  t.equal(await searched('axolotl'), 1)
  const changes = await ok(app, 'get_audit_log', { session_id }, ADMIN)
  t.same(
    changes.entries.map((entry: any) => entry.event_type),
    ['session_opened', 'session_archived', 'session_archived', 'memory_set', 'message_added', 'session_created'],
    'audited'
  )
})

t.test('archived sessions are paged', async t => {
  for (let i = 0; i < 3; i++)
    await ok(app, 'archive_session', { session_id: await newSession(app, CREATOR, `paged ${i}`) }, CREATOR)
  const first = await ok(app, 'list_sessions', { archived: true, limit: 2, query: 'paged' })
  t.same([first.count, first.has_more], [2, true])
  const second = await ok(app, 'list_sessions', { archived: true, limit: 2, query: 'paged', cursor: first.next_cursor })
  t.same([second.count, second.has_more], [1, false])
})
