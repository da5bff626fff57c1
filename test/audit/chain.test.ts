import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { auditKeys, headLine, parseHeadLine, type SignedHead } from '../../src/audit/chain/keys.js'
import type { Db } from '../../src/postgres/schema.js'
import { acrossWorkspaces } from '../../src/postgres/scope.js'
import { createDrain, type Drain } from '../../src/audit/chain/drain.js'
import { dropAuditRows } from '../../src/audit/chain/drop.js'
import { exportAudit } from '../../src/audit/chain/export.js'
import { keepHeads } from '../../src/audit/chain/head-file.js'
import { lagOf } from '../../src/audit/chain/lag.js'
import { verifyChain } from '../../src/audit/chain/verify.js'
import { compareKeptHeads } from '../../src/audit/chain/verify-heads.js'
import { openDatabase } from '../support/database.js'

/**
 * The chain over the audit log: made by drainers, on real transactions; and what somebody with all rights in the
 * database does to it.
 */

const keys = auditKeys(['a key for the audit log of tests, 0123456789'])

interface Chained {
  url: string
  db: Db
  owner: pg.Client
  drain: Drain
  write: (workspace?: string, on?: pg.Client) => Promise<number>
}

async function chained(t: Test): Promise<Chained> {
  const { url, database, owner } = await openDatabase(t)
  const db = acrossWorkspaces(database.db)
  return { url, db, owner, drain: createDrain(db, keys), write: (workspace, on = owner) => write(on, workspace) }
}

async function write(on: pg.Client, workspace = 'default'): Promise<number> {
  const { rows } = await on.query<{ id: string }>(
    `
    insert into audit_log (workspace, event_type, agent_id, session_id, action, resource, result, request_id, metadata)
    values ($1, 'message_added', 'agent-1', 'session_1', 'add_message', 'message:1', 'success', $2,
      '{"n": 10000000000000001}') returning id`,
    [workspace, randomUUID()]
  )
  return Number(rows[0]?.id)
}

/** What the owner of the database can do, past the trigger. */
async function tamper(owner: pg.Client, ...statements: string[]): Promise<void> {
  const tables = ['audit_log', 'audit_chain', 'audit_heads', 'audit_beginnings']
  for (const table of tables) await owner.query(`alter table ${table} disable trigger append_only`)
  for (const statement of statements) await owner.query(statement)
  for (const table of tables) await owner.query(`alter table ${table} enable trigger append_only`)
}

/** Rounds until nothing is left, and a head. */
async function drained(drain: Drain): Promise<SignedHead[]> {
  const heads: SignedHead[] = []
  for (let quiet = 0; quiet < 2;) {
    const { chained, heads: signed } = await drain.round({ head_ms: 0 })
    heads.push(...signed)
    quiet = chained === 0 ? quiet + 1 : 0
  }
  return heads
}

const COLUMNS: Record<string, string> = {
  workspace: "'other'",
  timestamp: "timestamp - interval '1 millisecond'",
  event_type: "'session_created'",
  agent_id: "'agent-2'",
  session_id: 'null',
  action: "'add_messages'",
  resource: "'message:2'",
  result: "'refused'",
  request_id: "request_id || ' '",
  metadata: '\'{"n": 10000000000000002}\''
}

t.test('every column, changed by the owner, is told with its row', async t => {
  const { db, owner, drain, write } = await chained(t)
  const ids = []
  for (let n = 0; n < 12; n++) ids.push(await write())
  await write('second')
  await drained(drain)
  t.match(await verifyChain(db, keys, 'default'), {
    fault: null,
    rows: 12,
    heads: 1,
    is_done: true,
    not_yet_chained: 0
  })
  t.match(await verifyChain(db, keys, 'second'), { fault: null, rows: 1 })

  const { rows } = await owner.query<{ column_name: string }>(
    "select column_name from information_schema.columns where table_name = 'audit_log' and table_schema = 'public'"
  )
  t.same(
    rows.map(({ column_name }) => column_name).sort(),
    ['id', ...Object.keys(COLUMNS)].sort(),
    'there is no column that is not covered'
  )
  const id = ids[4] as number
  for (const [column, value] of Object.entries(COLUMNS)) {
    await tamper(
      owner,
      'create temp table kept as select * from audit_log',
      `update audit_log set ${column} = ${value} where id = ${id}`
    )
    t.match(await verifyChain(db, keys, 'default'), { fault: { kind: 'altered', seq: 5, audit_id: id } }, column)
    await tamper(
      owner,
      `delete from audit_log where id = ${id}`,
      `insert into audit_log select * from kept where id = ${id}`,
      'drop table kept'
    )
    t.match(await verifyChain(db, keys, 'default'), { fault: null }, `${column}, put back`)
  }
  await tamper(owner, `update audit_log set id = 5000 where id = ${id}`)
  t.match(await verifyChain(db, keys, 'default'), { fault: { kind: 'missing', seq: 5, audit_id: id } }, 'another id')
  t.match(await verifyChain(db, keys, 'second'), { fault: null }, 'the other workspace is as it was')
})

t.test('rows that are deleted, swapped or put in are told', async t => {
  const { db, owner, drain, write } = await chained(t)
  for (let n = 0; n < 10; n++) await write()
  await drained(drain)
  const first = Number((await owner.query<{ id: number }>('select min(id)::int as id from audit_log')).rows[0]?.id)
  const faultAfter = async (...statements: string[]) => {
    await tamper(
      owner,
      'create temp table log as select * from audit_log',
      'create temp table chain as select * from audit_chain',
      ...statements
    )
    const { fault } = await verifyChain(db, keys, 'default')
    await tamper(
      owner,
      'truncate audit_log, audit_chain',
      'insert into audit_log select * from log',
      'insert into audit_chain select * from chain',
      'drop table log, chain'
    )
    return fault
  }
  const id = (seq: number) => first + seq - 1
  t.match(await faultAfter(`delete from audit_log where id = ${id(3)}`), { kind: 'missing', seq: 3, audit_id: id(3) })
  t.match(await faultAfter(`delete from audit_log where id = ${id(3)}`, 'delete from audit_chain where seq = 3'), {
    kind: 'missing',
    seq: 3
  })
  t.match(
    await faultAfter(
      `delete from audit_log where id = ${id(3)}`,
      'delete from audit_chain where seq = 3',
      'update audit_chain set seq = -seq where seq > 3',
      'update audit_chain set seq = -seq - 1 where seq < 0'
    ),
    { kind: 'altered', seq: 3 },
    'and the rest moved up'
  )
  t.match(
    await faultAfter(
      `update audit_log set id = -id where id in (${id(4)}, ${id(7)})`,
      `update audit_log set id = ${id(4) + id(7)} + id where id < 0`
    ),
    { kind: 'reordered', seq: 4, audit_id: id(4) },
    'two rows'
  )
  t.match(
    await faultAfter(
      'update audit_chain set audit_id = -audit_id where seq in (4, 7)',
      `update audit_chain set audit_id = ${id(4) + id(7)} + audit_id where audit_id < 0`
    ),
    { kind: 'reordered', seq: 4, audit_id: id(7) },
    'two places'
  )
  t.match(
    await faultAfter(
      'update audit_chain set seq = -seq where seq in (4, 7)',
      'update audit_chain set seq = 11 + seq where seq < 0'
    ),
    { kind: /altered|reordered/, seq: 4 },
    'two whole places'
  )
  t.match(
    await faultAfter(
      'insert into audit_log (id, event_type, agent_id, action, result, request_id) values ' +
        `(${id(1) - 1}, 'message_added', 'x', 'add_message', 'success', 'x')`
    ),
    { kind: 'forged', seq: null, audit_id: id(1) - 1 }
  )
  t.match(
    await faultAfter(
      `insert into audit_log select ${id(1) - 1} as id, workspace, timestamp, event_type, ` +
        'agent_id, session_id, action, resource, result, request_id, metadata from audit_log ' +
        `where id = ${id(2)}`,
      'update audit_chain set seq = -seq where seq >= 5',
      'update audit_chain set seq = 1 - seq where seq < 0',
      `insert into audit_chain select workspace, 5, ${id(1) - 1}, key_id, mac from audit_chain where seq = 4`
    ),
    { kind: 'altered', seq: 5 },
    'with a place made up'
  )
  t.match(
    await faultAfter('delete from audit_chain where seq > 6', `delete from audit_log where id > ${id(6)}`),
    { kind: 'missing', seq: 7 },
    'a tail whose head is still there'
  )
  t.match(await verifyChain(db, keys, 'default'), { fault: null, rows: 10 }, 'all put back')
  await tamper(owner, 'update audit_heads set drained_to = drained_to - 1')
  t.match(await verifyChain(db, keys, 'default'), { fault: { kind: 'head', seq: 10 } })
  t.match(await verifyChain(db, auditKeys(['another key, of some other installation, 01']), 'default'), {
    fault: { kind: 'key', seq: 1 }
  })
})

t.test('a tail that was cut together with its heads is found by heads kept elsewhere', async t => {
  const { db, owner, drain, write } = await chained(t)
  const file = join(await mkdtemp(join(tmpdir(), 'scs-heads-')), 'heads')
  t.teardown(() => rm(file, { force: true }))
  const keep = keepHeads(
    file,
    () => {},
    error => {
      throw error
    }
  )
  const grow = async (count: number) => {
    for (let n = 0; n < count; n++) await write()
    for (const head of await drained(drain)) await keep(head)
  }
  const compared = async () => {
    const kept = compareKeptHeads(db, keys)
    for (const line of (await readFile(file, 'utf8')).trim().split('\n')) {
      const head = parseHeadLine(line)
      if (head !== undefined) await kept.add([head])
    }
    return { ...kept.resultOf('default'), not_genuine: kept.invalidCount() }
  }
  await grow(5)
  await writeFile(file, '{"torn":', { flag: 'a' })
  await grow(5)
  t.match(await compared(), { fault: null, matching: 2, not_genuine: 0 })

  await tamper(
    owner,
    'delete from audit_log where id in (select audit_id from audit_chain where seq > 7)',
    'delete from audit_chain where seq > 7',
    'delete from audit_heads where seq > 7'
  )
  t.match(await verifyChain(db, keys, 'default'), { fault: null, rows: 7 }, 'the database alone cannot tell')
  t.match(await compared(), { fault: { kind: 'missing', seq: 8 }, matching: 1 })
  // It goes on from there, by a drainer that knows nothing: other rows at the same places.
  for (let n = 0; n < 5; n++) await write()
  await drained(createDrain(db, keys))
  t.match(await verifyChain(db, keys, 'default'), { fault: null })
  t.match(await compared(), { fault: { kind: 'head', seq: 10 }, matching: 1 })
  const [genuine] = (await readFile(file, 'utf8')).trim().split('\n').map(parseHeadLine)
  await writeFile(file, `${JSON.stringify({ ...headLine(genuine as SignedHead), seq: 4 })}\n`)
  t.match(await compared(), { not_genuine: 1, matching: 0 })
})

t.test('a row that commits late is chained, whoever has drained meanwhile', async t => {
  const { url, db, owner, drain, write } = await chained(t)
  const late = new pg.Client({ connectionString: url })
  const later = new pg.Client({ connectionString: url })
  await Promise.all([late.connect(), later.connect()])
  t.teardown(() => Promise.all([late.end(), later.end()]))

  await write()
  await late.query('begin')
  const lateId = await write('default', late)
  await later.query('begin')
  const laterId = await write('second', later)
  for (let n = 0; n < 5; n++) await write()
  await drained(drain)
  await write()
  await drained(drain)
  const other = createDrain(db, keys)
  await drained(other)
  t.match(await verifyChain(db, keys, 'default'), { fault: null, rows: 7, not_yet_chained: 0 })
  await late.query('commit')
  t.same((await lagOf(db)).rows, 1)
  await drained(other)
  t.match(await verifyChain(db, keys, 'default'), { fault: null, rows: 8, to: { seq: 8 } }, 'the one has it')
  await write()
  await drained(drain)
  await drained(drain)
  await later.query('commit')
  await drained(drain)
  await drained(drain)
  t.match(await verifyChain(db, keys, 'second'), { fault: null, rows: 1 }, 'and the other that one')
  t.match(await verifyChain(db, keys, 'default'), { fault: null, rows: 9 })
  const { rows } = await owner.query<{ audit_id: number }>('select audit_id::int from audit_chain order by seq desc')
  t.ok(rows.some(({ audit_id }) => audit_id === lateId) && rows.some(({ audit_id }) => audit_id === laterId))
  t.same(await lagOf(db), { rows: 0, seconds: 0 })

  await late.query('begin')
  await write('default', late)
  await late.query('rollback')
  await write()
  await drained(drain)
  await drained(drain)
  t.equal(await drain.hasWork(), false, 'what was rolled back is not waited for')
})

t.test('many writers, some slow, and three drainers make one chain without a gap', async t => {
  const { url, db, owner } = await chained(t)
  const clients = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    })
  )
  t.teardown(() => Promise.all(clients.map(client => client.end())))
  let writing = true
  const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
  const drainers = Array.from({ length: 3 }, async (_, i) => {
    const drain = createDrain(db, keys)
    while (writing) {
      await drain.round({ head_ms: 30, batch: 7 + i })
      await pause(i)
    }
    return drain
  })
  await Promise.all(
    clients.map(async (client, writer) => {
      for (let n = 0; n < 60; n++) {
        await client.query('begin')
        for (let row = 0; row <= n % 3; row++) await write(client, writer % 2 === 0 ? 'default' : 'second')
        if (writer < 2) await pause(n % 7)
        await client.query(n % 11 === 5 ? 'rollback' : 'commit')
      }
    })
  )
  writing = false
  const [drain] = await Promise.all(drainers)
  await drained(drain as Drain)
  const counts = (
    await owner.query<{ all: number; second: number }>(
      "select count(*)::int as all, count(*) filter (where workspace = 'second')::int as second from audit_log"
    )
  ).rows[0] as { all: number; second: number }
  const results = [await verifyChain(db, keys, 'default'), await verifyChain(db, keys, 'second')]
  t.match(results, [
    { fault: null, rows: counts.all - counts.second, not_yet_chained: 0 },
    { fault: null, rows: counts.second, not_yet_chained: 0 }
  ])
  t.ok(results.every(({ heads }) => heads > 0))
})

t.test('rows go only up to a head that becomes the beginning', async t => {
  const { db, owner, drain, write } = await chained(t)
  for (const statement of [
    "update audit_log set result = 'refused'",
    'delete from audit_log',
    'truncate audit_log',
    'delete from audit_chain',
    'update audit_heads set seq = 1',
    'delete from audit_beginnings'
  ]) {
    await t.rejects(owner.query(statement), { code: '42501' }, statement)
  }
  for (let n = 0; n < 6; n++) await write()
  await drained(drain)
  const at = String((await owner.query<{ at: string }>('select clock_timestamp()::text as at')).rows[0]?.at)
  for (let n = 0; n < 4; n++) await write()
  await drained(drain)
  await t.rejects(
    owner.query("select drop_audit_rows('default', 6, 100)"),
    { code: '55000' },
    'nowhere but at a beginning'
  )

  const drop = () =>
    db.transaction().execute(tx => dropAuditRows(tx, keys, { workspace: 'default', before: at, limit: 4 }))
  t.equal(await drop(), 4)
  t.match(await verifyChain(db, keys, 'default'), { fault: null, first_seq: 7, rows: 4 }, 'also half-way')
  t.equal(await drop(), 2)
  t.equal(await drop(), 0)
  t.same((await owner.query('select count(*)::int as count from audit_log')).rows, [{ count: 4 }])
  t.match(await verifyChain(db, keys, 'default'), { fault: null, first_seq: 7, rows: 4, to: { seq: 10 } })

  const lines: object[] = []
  await exportAudit(db, 'default', async line => void lines.push(line))
  t.match(lines, [
    { type: 'beginning', seq: 6 },
    { type: 'row', seq: 7, metadata: {}, action: 'add_message' },
    { type: 'row', seq: 8 },
    { type: 'row', seq: 9 },
    { type: 'row', seq: 10 },
    { type: 'head', seq: 10 }
  ])

  await tamper(
    owner,
    'update audit_beginnings set seq = 7',
    'delete from audit_log where id in (select audit_id from audit_chain where seq <= 7)',
    'delete from audit_chain where seq <= 7'
  )
  t.match(
    await verifyChain(db, keys, 'default'),
    { fault: { kind: 'beginning', seq: 7 } },
    'one that nobody with the key has signed'
  )
})

t.test('all rows may go, and the chain goes on; keys may change', async t => {
  const { db, drain, write } = await chained(t)
  for (let n = 0; n < 3; n++) await write()
  await drained(drain)
  t.equal(
    await db
      .transaction()
      .execute(tx => dropAuditRows(tx, keys, { workspace: 'default', before: '2999-01-01T00:00:00.000Z', limit: 100 })),
    3
  )
  await write()
  await drained(drain)
  const rotated = auditKeys([
    'a newer key for the audit log of tests, 01234',
    'a key for the audit log of tests, 0123456789'
  ])
  await write()
  await drained(createDrain(db, rotated))
  t.match(await verifyChain(db, rotated, 'default'), { fault: null, first_seq: 4, rows: 2, heads: 2, to: { seq: 5 } })
  t.match(await verifyChain(db, keys, 'default'), { fault: { kind: 'key', seq: 5 } })
})
