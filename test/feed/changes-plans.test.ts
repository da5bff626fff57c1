import t from 'tap'
import { changesForMany } from '../../src/feed/store/feed.js'
import { countedDatabase } from '../support/looked-at.js'

/**
 * Followers at the end of a long session read what is new, and not the session. Its table has no statistics: every
 * session that grew within the last minutes is so, and the planner then took the wrong index.
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

const viewer = { workspace: 'default', agent_id: 'other', agent_type: 'blue', permissions: ['read' as const] }
for (const [what, after, types] of [
  ['new messages', HEAD - 5, ['message_added']],
  ['messages of long ago that changed', HEAD, ['message_added', 'message_added']],
  ['nothing', HEAD + 2, []]
] as const)
  t.test(what, async t => {
    const page = await changesForMany(db, [viewer], SESSION, after, HEAD + 2)
    const changes = page?.changesOf(0) ?? []
    t.equal(changes.length, after < HEAD ? 7 : types.length)
    const { rows, statements } = work()
    t.ok(statements > 0)
    t.ok(rows < 50, `${rows} rows of messages are looked at`)
  })
