import t from 'tap'
import { inboxPage } from '../../src/inbox/store/inbox-pages.js'
import { countedDatabase } from '../support/looked-at.js'

/** An inbox that was read is gone through once, although its tables have no statistics yet. */

const { db, pool, work } = await countedDatabase(t)
for (const table of ['messages', 'inbox', 'receipts'])
  await pool.query(`alter table ${table} set (autovacuum_enabled = off)`)
const SESSION = 'session_0000000000000001'
const READ = 2000
await pool.query(`
  insert into sessions (id, purpose, created_by, last_seq, public_count)
    values ('${SESSION}', 'p', 'me', ${READ + 1}, ${READ + 1});
  insert into messages (session_id, seq, sender, sender_type, content, visibility)
    select '${SESSION}', n, 'me', 'red', '@you ' || n, 'public' from generate_series(1, ${READ + 1}) n;
  insert into inbox (message_id, name, session_id, seq, sender, direct)
    select id, 'you', session_id, seq, sender, false from messages;
  insert into receipts (message_id, agent_id, read_at)
    select id, 'you', now() from messages where seq > 1`)

const you = { workspace: 'default', agent_id: 'you', agent_type: 'blue', permissions: ['read' as const] }

t.test('the one unread message behind two thousand that were read', async t => {
  const { messages } = await inboxPage(db, you, { unread_only: true, unacked_only: false, limit: 20 })
  t.same(
    messages.map(({ seq }) => seq),
    [1]
  )
  const { receipts, rows } = work()
  t.ok(receipts < 4 * READ, `${receipts} receipts are looked at`)
  t.ok(rows < 10, `${rows} messages are looked at`)
})
