import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { auditKeys, type SignedHead, signHead } from '../../src/audit/chain/keys.js'
import type { Db } from '../../src/postgres/schema.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { createDrain, type Drain } from '../../src/audit/chain/drain.js'
import { verifyChain } from '../../src/audit/chain/verify.js'
import { compareKeptHeads } from '../../src/audit/chain/verify-heads.js'
import { applyAuditRetention } from '../../src/lifecycle/store/audit-retention.js'
import { setRetention } from '../../src/lifecycle/store/retention-setting.js'
import { applyRetention } from '../../src/lifecycle/store/retention.js'
import { endContinuously } from '../../src/lifecycle/worker.js'
import { type As, call, environment, newSession, ok, runToEnd, startApp } from '../helper.js'
import { until } from '../support/until.js'
import { isFailure } from '../support/failure.js'
import { openDatabase } from '../support/database.js'

/** Audit rows by age, on real chains: what goes, what stays, and that the rest still proves itself. */

const KEY = 'audit-key-of-tests-0123456789-0123456789'
const keys = auditKeys([KEY])
const going = () => false

interface Chained {
  db: Db
  operator: Db
  owner: pg.Client
  drain: Drain
}

/** A database as the service sees it, as the operator's commands do, and its owner by hand. */
async function chained(t: Test): Promise<Chained> {
  const { database, operator, owner } = await openDatabase(t)
  const db = acrossWorkspaces(database.db)
  return { db, operator, owner, drain: createDrain(db, keys) }
}

async function write(owner: pg.Client, count: number, { workspace = 'default', days = 0 } = {}): Promise<void> {
  await owner.query(
    `
    insert into audit_log (workspace, timestamp, event_type, agent_id, action, result, request_id)
    select $1, clock_timestamp() - make_interval(days => $2), 'message_added', 'agent-1', 'add_message',
      'success', $3 || n from generate_series(1, $4) n`,
    [workspace, days, randomUUID(), count]
  )
}

/** What is there is chained and has a head, signed as if it had been so many days ago. */
async function signed(owner: pg.Client, drain: Drain, days = 0): Promise<SignedHead[]> {
  const heads: SignedHead[] = []
  for (let quiet = 0; quiet < 2;) {
    const { chained, heads: more } = await drain.round({ head_ms: 0 })
    heads.push(...more)
    quiet = chained === 0 ? quiet + 1 : 0
  }
  if (days === 0) return heads
  const aged = heads.map(head =>
    signHead(keys.first, { ...head, signed_at: new Date(Date.parse(head.signed_at) - days * 86_400_000).toISOString() })
  )
  await asOwner(owner, async () => {
    for (const { workspace, seq, signed_at, signature } of aged)
      await owner.query('update audit_heads set signed_at = $3, signature = $4 where workspace = $1 and seq = $2', [
        workspace,
        seq,
        signed_at,
        signature
      ])
  })
  return aged
}

/** Past the trigger that refuses. */
async function asOwner(owner: pg.Client, work: () => Promise<unknown>): Promise<void> {
  const tables = ['audit_log', 'audit_chain', 'audit_heads', 'audit_beginnings']
  for (const table of tables) await owner.query(`alter table ${table} disable trigger append_only`)
  await work()
  for (const table of tables) await owner.query(`alter table ${table} enable trigger append_only`)
}

async function rowsOf(owner: pg.Client, workspace = 'default'): Promise<number> {
  return (
    await owner.query<{ count: number }>(
      "select count(*)::int as count from audit_log where workspace = $1 and event_type = 'message_added'",
      [workspace]
    )
  ).rows[0]?.count as number
}

t.test('what is of age goes up to a signed head; what is left proves itself', async t => {
  const { db, operator, owner, drain } = await chained(t)
  for (const workspace of ['default', 'kept']) await write(owner, 7, { workspace, days: 40 })
  const kept = await signed(owner, drain, 40)
  // Of age too, but under a head that is not.
  await write(owner, 2, { days: 35 })
  await write(owner, 5)
  kept.push(...(await signed(owner, drain)))
  t.match(await verifyChain(db, keys, 'default'), { fault: null, first_seq: 1, rows: 14 })

  t.equal(await applyAuditRetention({ db, stopping: going }, keys, 0), 0, 'for ever is the default')
  await setRetention(operator, 'audit_retention', 'default', 30)
  t.equal(await applyAuditRetention({ db, stopping: going }, keys, 0, 3), 7)
  t.equal(await rowsOf(owner), 7)
  t.equal(await rowsOf(owner, 'kept'), 7, 'a workspace without a setting keeps all')
  t.equal(await applyAuditRetention({ db, stopping: going }, keys, 0), 0, 'once')
  const { rows: told } = await owner.query(
    "select agent_id, action, (metadata ->> 'rows')::int as rows, (metadata ->> 'days')::int " +
      "as days from audit_log where event_type = 'audit_rows_dropped' order by id"
  )
  t.same(
    told,
    [3, 3, 1].map(rows => ({ agent_id: null, action: 'retention', rows, days: 30 })),
    'each batch with its audit row'
  )

  await signed(owner, drain)
  t.match(await verifyChain(db, keys, 'default'), { fault: null, first_seq: 8, rows: 10 })
  t.match(await verifyChain(db, keys, 'kept'), { fault: null, first_seq: 1, rows: 7 })
  const elsewhere = compareKeptHeads(db, keys)
  await elsewhere.add(kept)
  t.match(
    [elsewhere.resultOf('default'), elsewhere.invalidCount()],
    [{ fault: null }, 0],
    'and fits heads that were kept elsewhere before'
  )

  await asOwner(owner, () =>
    owner.query(
      "update audit_log set agent_id = 'nobody' where id = (select audit_id from audit_chain " +
        "where workspace = 'default' and seq = 10)"
    )
  )
  t.match(
    await verifyChain(db, keys, 'default'),
    { fault: { kind: 'altered', seq: 10 } },
    'a row altered afterwards is named'
  )
  await asOwner(owner, () =>
    owner.query(
      "with cut as (delete from audit_chain where workspace = 'default' and seq = 8 returning " +
        'audit_id) delete from audit_log where id in (select audit_id from cut)'
    )
  )
  t.match(
    await verifyChain(db, keys, 'default'),
    { fault: { kind: 'missing', seq: 8 } },
    'and one that somebody else made go'
  )
})

t.test('stopped between two batches, it goes on in the next round, by itself', async t => {
  const { db, owner, drain } = await chained(t)
  await write(owner, 1200, { days: 40 })
  await signed(owner, drain, 40)
  await write(owner, 1)
  let batches = 0
  const stopping = () => batches++ > 0
  t.equal(await applyAuditRetention({ db, stopping }, keys, 30), 500)
  t.match(await verifyChain(db, keys, 'default'), { fault: null }, 'half-way')
  const ending = endContinuously({
    db,
    retention_days: 0,
    audit: { keys, days: 30 },
    publish: () => {},
    onFault: error => {
      t.fail(String(error))
    },
    first_ms: 0
  })
  await until(async () => (await rowsOf(owner)) === 1, "the server's own worker drops the rest")
  await ending.close()
  await signed(owner, drain)
  t.match(await verifyChain(db, keys, 'default'), { fault: null, first_seq: 1201 })
})

t.test('nothing goes up to a head that was not signed with our key', async t => {
  const { db, owner, drain } = await chained(t)
  await write(owner, 3)
  await signed(owner, drain)
  await asOwner(owner, () => owner.query("update audit_heads set signed_at = signed_at - interval '40 days'"))
  t.equal(await applyAuditRetention({ db, stopping: going }, keys, 30), 0)
  t.equal(await rowsOf(owner), 3)
})

t.test('a drainer at work keeps nothing from going by age', async t => {
  const app = await startApp(t)
  const writer: As = { agent_id: 'writer' }
  const session_id = await newSession(app, writer)
  for (let n = 0; n < 7; n++)
    await ok(
      app,
      'add_messages',
      { session_id, messages: Array.from({ length: 100 }, () => ({ content: 'x' })) },
      writer
    )
  const owner = new pg.Client({ connectionString: app.url })
  await owner.connect()
  t.teardown(() => owner.end())
  await owner.query("update messages set timestamp = timestamp - interval '3 days'")

  await owner.query('begin')
  await owner.query('lock table audit_heads')
  const round = createDrain(app.database.db, keys).round()
  await until(
    async () =>
      (
        await app.database.pool.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and query like " +
            "'%audit_heads%' and datname = current_database()"
        )
      ).rowCount === 1,
    'it waits in the midst of its round'
  )
  t.match(await applyRetention({ db: app.database.db, publish: () => {}, stopping: going }, 2), { messages: 700 })
  await owner.query('commit')
  await round
})

t.test('the operator sets it by variable and command, and admins can only read it', async t => {
  const admin: As = { agent_id: 'boss', admin: true }
  const app = await startApp(t, { AUDIT_HMAC_KEY: KEY, AUDIT_RETENTION_DAYS: '400' })
  const env = environment(app.url, { LOG_LEVEL: 'error', AUDIT_HMAC_KEY: KEY, AUDIT_RETENTION_DAYS: '400' })
  t.match(await ok(app, 'get_retention', {}, admin), { days: 0, audit_days: 400, audit_source: 'server' })
  isFailure(t, await call(app, 'set_retention', { days: 3, audit_days: 1 }, admin), 'INVALID_INPUT')
  t.match(await runToEnd(['retention', 'audit'], env), { code: 0, stdout: '400 days (AUDIT_RETENTION_DAYS)\n' })
  t.match(await runToEnd(['retention', 'audit', 'set', '90'], env), {
    code: 0,
    stdout: '90 days (set for this workspace)\n',
    stderr: 'Before: 400 days. Nothing is so old.\n'
  })
  t.match(await ok(app, 'set_retention', { days: 3 }, admin), { days: 3, audit_days: 90, audit_source: 'workspace' })
  t.match(await runToEnd(['retention', 'audit', 'show', '--workspace', 'other'], env), {
    code: 1,
    stdout: '',
    stderr: /There is no workspace 'other'/
  })
  t.match(await runToEnd(['retention'], env), { code: 0, stdout: '3 days (set for this workspace)\n' })
  t.match((await ok(app, 'get_audit_log', { event_type: 'audit_retention_set' }, admin)).entries, [
    { agent_id: null, metadata: { days: 90 } }
  ])

  const keyless = { ...env, AUDIT_HMAC_KEY: '', AUDIT_RETENTION_DAYS: '' }
  t.match(await runToEnd(['retention', 'audit'], keyless), {
    code: 0,
    stdout: '90 days (set for this workspace)\n',
    stderr: /keeps all audit rows/
  })
  t.match(await runToEnd(['retention', 'audit', 'default'], env), {
    code: 0,
    stdout: '400 days (AUDIT_RETENTION_DAYS)\n'
  })
})

t.test('without a key of the chain no row goes, and a server that is to drop some does not start', async t => {
  const env = environment('postgres://u:p@localhost/db', { AUDIT_RETENTION_DAYS: '30' })
  t.throws(() => loadConfig(env), /AUDIT_RETENTION_DAYS needs AUDIT_HMAC_KEY/)
  t.equal(loadConfig({ ...env, AUDIT_HMAC_KEY: KEY }).audit_retention_days, 30)
  const app = await startApp(t)
  const owner = new pg.Client({ connectionString: app.url })
  await owner.connect()
  t.teardown(() => owner.end())
  await owner.query("insert into audit_retention (workspace, days) values ('default', 1)")
  t.match(
    await ok(app, 'get_retention', {}, { agent_id: 'boss', admin: true }),
    { audit_days: 0, audit_source: 'workspace' },
    'which is what is told'
  )
})
