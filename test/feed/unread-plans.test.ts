import t, { type Test } from 'tap'
import type { Agent } from '../../src/kernel/agent.js'
import { readings } from '../../src/feed/store/unread.js'
import type { Reading } from '../../src/kernel/answer-shapes.js'
import { countedDatabase } from '../support/looked-at.js'

/** Counting what is unread in long sessions: right, and without going through them. */

const { db, pool, work } = await countedDatabase(t)

const session = (n: number) => `session_${n.toString(16).padStart(16, '0')}`
const CROWDED = session(1)
const MINE = session(2)
const agent = (agent_id: string, more: Partial<Agent> = {}): Agent => ({
  workspace: 'default',
  agent_id,
  agent_type: 'red',
  permissions: ['read', 'write'],
  ...more
})
const ME = agent('me')
const BOSS = agent('boss', { permissions: ['read', 'write', 'admin'] })

// A session of 60 000: of every ten, one is private, one agent_only of another type, two mention @me. One of 30 300 of
// which 30 000 are mine.
await pool.query(`
  insert into messages (session_id, seq, sender, sender_type, content, visibility)
  select '${CROWDED}', n, 'agent-' || n % 7, 'blue',
    case when n % 10 in (0, 1, 2) then 'hello @me, ' else 'hello, ' end || md5(n::text),
         (array['private', 'public', 'public', 'public', 'public', 'public', 'public', 'public', 'public',
           'agent_only'])[n % 10 + 1]
  from generate_series(1, 60000) n;
  insert into messages (session_id, seq, sender, sender_type, content, visibility)
  select '${MINE}', n, case when n % 101 = 0 then 'other' else 'me' end, 'red',
    case when n % 202 = 0 then '@me' else '@other' end, 'public' from generate_series(1, 30300) n;
  insert into sessions (id, purpose, created_by, last_seq, public_count)
    values ('${CROWDED}', 'p', 'agent-0', 60000, 48000), ('${MINE}', 'p', 'me', 30300, 30300);
  -- Fifty of 2000 each.
  insert into messages (session_id, seq, sender, sender_type, content, visibility)
  select 'session_' || lpad(to_hex(16 + s), 16, '0'), n, 'agent-' || n % 20, 'blue', 'hello' ||
    case when n % 100 = 0 then ' @me' else '' end, 'public' from generate_series(1, 50) s, generate_series(1, 2000) n;
  insert into sessions (id, purpose, created_by, last_seq, public_count) select 'session_'
    || lpad(to_hex(16 + s), 16, '0'), 'p', 'agent-0', 2000, 2000 from generate_series(1, 50) s`)
await pool.query('vacuum analyze')

async function readTo(seq: number, session_id: string, who = ME): Promise<void> {
  await pool.query(
    'insert into read_cursors (agent_id, session_id, last_read_seq) values ($1, $2, $3) on ' +
      'conflict (workspace, agent_id, session_id) do update set last_read_seq = $3',
    [who.agent_id, session_id, seq]
  )
}

/** @param most how many rows of messages may be looked at */
async function unread(t: Test, session_id: string, most: number, who = ME): Promise<Reading['unread']> {
  work()
  const [reading] = await readings(db, who, [session_id])
  const { rows, scanned } = work()
  t.notOk(scanned, 'no table is gone through')
  t.ok(rows <= most, `${rows} rows are looked at, at most ${most}`)
  return (reading as Reading).unread
}

t.test('nothing read yet', async t => {
  t.same(
    await unread(t, CROWDED, 30_000),
    { messages: 48_000, mentions: 10_001, mentions_is_estimate: true },
    'counted exactly, from what the session knows'
  )
  t.same(await unread(t, MINE, 62_000), { messages: 300, mentions: 150 }, "however much of it is one's own")
  const boss = await unread(t, CROWDED, 50_000, BOSS)
  t.match(boss, { messages_is_estimate: true })
  t.ok(boss.messages > 50_000 && boss.messages < 70_000, `about 60 000: ${boss.messages}`)
})

t.test('little behind', async t => {
  await readTo(59_500, CROWDED)
  t.same(await unread(t, CROWDED, 2000), { messages: 400, mentions: 100 })
  await readTo(30_300 - 202, MINE)
  t.same(await unread(t, MINE, 2000), { messages: 2, mentions: 1 })
  await readTo(60_000, CROWDED)
  t.same(await unread(t, CROWDED, 0), { messages: 0, mentions: 0 })
})

t.test('far behind', async t => {
  await readTo(50_000, CROWDED)
  t.same(await unread(t, CROWDED, 13_100), { messages: 8000, mentions: 2000 }, 'exact up to ten thousand')
  await readTo(10_000, CROWDED)
  const many = await unread(t, CROWDED, 50_000)
  t.match(many, { messages_is_estimate: true, mentions: 10_000 })
  t.ok(many.messages > 35_000 && many.messages < 45_000, `about 40 000: ${many.messages}`)
  t.notOk('mentions_is_estimate' in many, 'as many as are counted')
  await readTo(101, MINE)
  t.same(await unread(t, MINE, 32_000), { messages: 299, mentions: 150 }, "one's own are passed over")
})

t.test('fifty sessions are one statement', async t => {
  const ids = Array.from({ length: 50 }, (_, i) => session(17 + i))
  for (const [i, id] of ids.entries()) if (i % 2 === 0) await readTo(i * 20, id)
  work()
  const all = await readings(db, ME, ids)
  const { rows, scanned, statements } = work()
  t.equal(statements, 1)
  t.notOk(scanned)
  t.same(
    all,
    ids.map((_, i) => {
      const seq = i % 2 === 0 ? i * 20 : 0
      return { last_read_seq: seq, unread: { messages: 2000 - seq, mentions: 20 - Math.floor(seq / 100) } }
    })
  )
  t.ok(rows < 40_000, `${rows} rows of 100 000 are looked at`)
})
