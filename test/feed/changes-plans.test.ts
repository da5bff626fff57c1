import t from 'tap'
import { changesForMany } from '../../src/feed/store/feed.js'
import { NO_QUOTAS } from '../../src/limits/quotas.js'
import { writeBatch } from '../../src/messages/store/message-batch.js'
import { countedPage } from '../../src/messages/store/message-pages.js'
import { countedDatabase } from '../support/looked-at.js'

/**
 * At the end of a long session, followers and readers read what is new, and not the session. Its tables have no
 * statistics, as those of each session that grew within the last minute: the planner then took the wrong index.
 */

const { db, pool, work } = await countedDatabase(t)
const SESSION = 'session_0000000000000001'
const HEAD = 20_000
await pool.query('alter table messages set (autovacuum_enabled = off)')
await pool.query('alter table session_changes set (autovacuum_enabled = off)')
await pool.query(`
  insert into messages (session_id, seq, sender, sender_type, content, visibility)
    select '${SESSION}', n, 'me', 'red', 'hello ' || n, 'public' from generate_series(1, ${HEAD}) n;
  insert into sessions (id, purpose, created_by, last_seq, public_count)
    values ('${SESSION}', 'p', 'me', ${HEAD + 2}, ${HEAD});
  insert into session_changes (session_id, seq, kind, message_id, changed_by, sender, sender_type, from_visibility,
      to_visibility)
    select '${SESSION}', ${HEAD} + n, 'visibility_changed', (select id from messages where seq = 10 * n), 'me', 'me',
      'red', 'private', 'public' from generate_series(1, 2) n`)

const viewer = {
  workspace: 'default',
  agent_id: 'other',
  agent_type: 'blue',
  permissions: ['read' as const, 'write' as const]
}
for (const [what, after, count] of [
  ['new messages', HEAD - 5, 7],
  ['messages of long ago that changed', HEAD, 2],
  ['nothing', HEAD + 2, 0]
] as const)
  t.test(what, async t => {
    const page = await changesForMany(db, [viewer], SESSION, after, HEAD + 2)
    t.equal(page?.changesOf(0).length, count)
    const followed = work()
    t.ok(followed.statements > 0)
    t.ok(followed.rows < 50, `a follower: ${followed.rows} rows of messages are looked at`)

    const request = { limit: 50, offset: 0, order: 'asc' as const, after_seq: after }
    t.equal((await countedPage(db, viewer, SESSION, request)).count, count)
    const read = work()
    t.ok(read.rows < 200, `a reader: ${read.rows} rows of messages are looked at`)
  })

t.test('a reply', async t => {
  const [parent] = (await pool.query<{ id: number }>('select id from messages where seq = 10')).rows
  const audit = {
    workspace: 'default',
    event_type: 'message_added',
    agent_id: 'other',
    session_id: SESSION,
    action: 'add_message',
    resource: null,
    result: 'success' as const,
    request_id: 'x',
    metadata: {}
  }
  const draft = { content: 'x', visibility: 'public' as const, metadata: {}, parent_message_id: parent?.id }
  const request = { sender: viewer, session_id: SESSION, drafts: [draft], reached: {}, audit }
  const [outcome] = await writeBatch(db, 'default', [request], NO_QUOTAS, true)
  t.ok(Array.isArray(outcome))
  const { rows, statements } = work()
  t.equal(statements, 1)
  t.ok(rows < 50, `${rows} rows of messages are looked at`)
})
