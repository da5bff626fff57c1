import t from 'tap'
import { newSession, ok, startApp } from '../helper.js'
import { administer } from '../support/database.js'
import { until } from '../support/rest.js'

/** Tasks are found by their indexes, although their table has no statistics yet: many may be made at once. */

const TASKS = 4000
const WORKERS = 8
const ROUNDS = 5
/** Rows that a claim and its completion may look at: the task, and those of others before it. */
const LOOKED_AT = 40

const app = await startApp(t)
const run = (...statements: string[]) => administer(app.url, ...statements)
await run('alter table tasks set (autovacuum_enabled = off)')
const sessions = await Promise.all(Array.from({ length: WORKERS }, () => newSession(app)))
await run(
  `insert into tasks (id, session_id, title, created_by)
   select 'task_' || lpad(n::text, 16, '0'), ('{${sessions.join()}}'::text[])[1 + n % ${WORKERS}], 'a part', 'me'
   from generate_series(1, ${TASKS}) n`,
  `insert into tasks (id, title, created_by)
   select 'task_a' || lpad(n::text, 15, '0'), 'a part', 'me' from generate_series(1, ${TASKS}) n`,
  // What the insertions themselves have read does not count.
  'select pg_stat_force_next_flush()',
  'select pg_stat_reset()'
)

async function work(worker: number, where: Record<string, unknown>): Promise<void> {
  const as = { agent_id: `worker-${worker}` }
  const { task, lease } = await ok(app, 'claim_task', where, as)
  await ok(app, 'complete_task', { task_id: task.task_id, lease_token: lease.token, result: 1 }, as)
}

t.test('claims, completions, and looking for leases that have ended', async t => {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(sessions.map((session_id, i) => work(i, { session_id })))
    await Promise.all(sessions.map((_, i) => work(i, {})))
  }
  const looks = async () =>
    Number((await run(`select idx_scan from pg_stat_user_indexes where indexrelname = 'tasks_leased'`))[0].idx_scan)
  await until('leases that have ended are looked for by their index', async () => (await looks()) > 0)
  // Connections say what they have done when they end.
  await run(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`
  )
  const [row] = await run(
    `select seq_tup_read + idx_tup_fetch as rows from pg_stat_user_tables where relname = 'tasks'`
  )
  t.ok(Number(row.rows) < 2 * ROUNDS * WORKERS * LOOKED_AT, `${row.rows} rows were looked at`)
})
