import { sql, type Kysely } from 'kysely'
import t from 'tap'
import { connectAsOwner } from '../../src/postgres/connect.js'
import { sweepDeletedSessions } from '../../src/lifecycle/store/deleted-sessions.js'
import { sweep } from '../../src/lifecycle/sweep.js'
import { openDatabase, optionsFor } from '../support/database.js'

/** The sweep looks at what has expired, and not at what lives, although the tables have no statistics yet. */

/** Of fewer rows a table may well be read as a whole. */
const ROWS = 40_000
const TABLES: Record<string, string> = {
  agent_memory: `insert into agent_memory (agent_id, key, value, value_size, expires_at)
    select 'a', 'k' || n, '1', 1, clock_timestamp() + interval '1 day' from generate_series(1, ${ROWS}) n`,
  idempotency_keys: `insert into idempotency_keys (agent_id, key, request_hash)
    select 'a', 'k' || n, '' from generate_series(1, ${ROWS}) n`,
  leases: `insert into leases (name, holder, token, acquired_at, expires_at)
    select 'n' || n, 'a', n, clock_timestamp(), clock_timestamp() + interval '1 day' from generate_series(1, ${ROWS}) n`
}

/** Has the one connection of a pool count what it has done: it may do so much later, even after its end. */
async function countNow<Tables>(db: Kysely<Tables>): Promise<void> {
  await sql`select pg_stat_force_next_flush()`.execute(db)
}

const { url, owner } = await openDatabase(t)
for (const [table, fill] of Object.entries(TABLES)) {
  await owner.query(`alter table ${table} set (autovacuum_enabled = off)`)
  await owner.query(fill)
}

t.test('each table that can be large is read by its index', async t => {
  const { db, close } = connectAsOwner(optionsFor(url, { max: 1 }))
  t.equal(await sweep(db), 0, 'nothing has expired')
  await countNow(db)
  await close()
  const { rows } = await owner.query(
    `select relname, idx_scan > 0 as looked, seq_tup_read::int, idx_tup_fetch::int
    from pg_stat_user_tables where relname = any($1) order by 1`,
    [Object.keys(TABLES)]
  )
  t.strictSame(
    rows,
    Object.keys(TABLES).map(relname => ({ relname, looked: true, seq_tup_read: 0, idx_tup_fetch: 0 }))
  )
})

t.test('what a deleted session has left in memory is found by its index', async t => {
  await owner.query(`insert into deleted_sessions (workspace, session_id) values ('default', 'session_gone')`)
  await owner.query(`insert into agent_memory (agent_id, session_id, key, value, value_size)
    select 'a', 'session_gone', 'k' || n, '1', 1 from generate_series(1, 3) n`)
  const { db, close } = connectAsOwner(optionsFor(url, { max: 1 }))
  t.equal(await sweepDeletedSessions(db, () => {}), 3)
  await countNow(db)
  await close()
  const { rows } = await owner.query<{ used: boolean }>(
    `select idx_scan > 0 as used from pg_stat_user_indexes where indexrelname = 'agent_memory_of_sessions'`
  )
  t.strictSame(rows, [{ used: true }])
})
