import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { migrations } from '../../migrations/index.js'
import type { Db } from '../../src/postgres/schema.js'
import { down, isCurrent, MigrationError, status, up } from '../../src/postgres/migrate.js'
import { ROOT, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { openOwner } from '../support/database.js'
import { schemaSnapshot } from '../support/schema-snapshot.js'

const NAMES = Object.keys(migrations)
const SNAPSHOT = join(ROOT, 'test', 'schema.snapshot.txt')

async function emptyDatabase(t: Test): Promise<{ url: string; open: () => Db }> {
  const { url, drop } = await createDatabase({ empty: true })
  t.teardown(drop)
  return { url, open: () => openOwner(t, url, { max: 1, connect_timeout_ms: 30_000 }) }
}

t.test('empty, up, up again', async t => {
  const db = (await emptyDatabase(t)).open()
  t.equal(await isCurrent(db), false)
  t.same(
    await status(db),
    NAMES.map(name => ({ name, applied: false }))
  )
  t.same(await up(db), NAMES)
  t.equal(await isCurrent(db), true)
  t.same(
    await status(db),
    NAMES.map(name => ({ name, applied: true }))
  )
  t.same(await up(db), [], 'nothing is left to do')
})

t.test('the schema is the one in test/schema.snapshot.txt', async t => {
  const db = (await emptyDatabase(t)).open()
  await up(db)
  const snapshot = await schemaSnapshot(db)
  // To accept a change: UPDATE_SNAPSHOT=1 npx tap test/postgres/migrations.test.ts
  if (process.env.UPDATE_SNAPSHOT === '1') await writeFile(SNAPSHOT, snapshot)
  t.equal(
    snapshot,
    await readFile(SNAPSHOT, 'utf8'),
    'else run: UPDATE_SNAPSHOT=1 npx tap test/postgres/migrations.test.ts'
  )
})

t.test('down to nothing, and up to the same', async t => {
  const db = (await emptyDatabase(t)).open()
  await up(db)
  const before = await schemaSnapshot(db)
  for (const name of [...NAMES].reverse()) {
    t.same(await down(db), [name])
    t.equal(await isCurrent(db), false)
  }
  t.same(await down(db), [], 'nothing is left to take back')
  t.equal(
    await schemaSnapshot(db),
    'extension pg_trgm\n',
    "all that was made is gone; the extension may be somebody else's"
  )
  t.same(await up(db), NAMES)
  t.equal(await schemaSnapshot(db), before)
})

t.test('the last one goes down and up, with rows in the tables of the others', async t => {
  const db = (await emptyDatabase(t)).open()
  await up(db)
  await sql`insert into sessions (id, purpose, created_by) values ('session_0000000000000001', 'p', 'a')`.execute(db)
  await sql`insert into messages (session_id, seq, sender, sender_type, content, visibility)
    values ('session_0000000000000001', 1, 'a', 'b', 'c', 'public')`.execute(db)
  const last = NAMES.at(-1) as string
  t.same([await down(db), await up(db)], [[last], [last]])
  const { rows } = await sql<{ content: string }>`select content from messages`.execute(db)
  t.same(rows, [{ content: 'c' }])
})

t.test('what a restored dump says of transactions that are still to come is taken back', async t => {
  const db = (await emptyDatabase(t)).open()
  await up(db)
  await sql`insert into sessions (id, purpose, created_by) values ('session_0000000000000001', 'p', 'a')`.execute(db)
  await sql`
    insert into messages (session_id, seq, sender, sender_type, content, visibility, xact)
    select 'session_0000000000000001', n, 'a', 'b', 'c', 'public',
      case when n <= 2 then (n * 1000000000000)::text::xid8 else pg_current_xact_id() end
    from generate_series(1, 3) n`.execute(db)
  t.same(await up(db), [])
  const { rows } = await sql<{
    own: boolean
    nought: boolean
  }>`select xact > '0' and xact < pg_snapshot_xmax(pg_current_snapshot()) as own, xact = '0' as nought
    from messages order by seq`.execute(db)
  t.same(rows, [
    { own: false, nought: true },
    { own: false, nought: true },
    { own: true, nought: false }
  ])
})

t.test('twenty at once: one migrates, the others wait', async t => {
  const { open } = await emptyDatabase(t)
  const done = await Promise.all(Array.from({ length: 20 }, () => up(open())))
  t.same(
    done.filter(names => names.length > 0),
    [NAMES]
  )
  t.same(
    await status(open()),
    NAMES.map(name => ({ name, applied: true }))
  )
})

t.test('a database newer than the program is left alone, with a sentence', async t => {
  const { open } = await emptyDatabase(t)
  const db = open()
  await up(db)
  await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', now()::text)`.execute(db)
  const acts: Array<(on: typeof db) => Promise<unknown>> = [up, down, status]
  for (const act of acts) {
    await t.rejects(
      act(db),
      { constructor: MigrationError, message: /newer than this program.*9999-from-the-future/ },
      act.name
    )
  }
  t.equal(await isCurrent(db), true, 'an old replica beside new ones is still ready')
})

t.test('a failed migration is taken back, told and tried again', async t => {
  const { open } = await emptyDatabase(t)
  const db = open()
  await sql`create table agents (somebody_elses int)`.execute(db)
  await t.rejects(up(db), { constructor: MigrationError, message: /0004-callers failed and was taken back/ })
  t.equal(await isCurrent(db), false)
  const { rows } = await sql`select from pg_class where relname in ('tokens', 'mcp_sessions')`.execute(db)
  t.equal(rows.length, 0, 'nothing half done')
  await sql`drop table agents`.execute(db)
  await up(db)
  t.equal(await isCurrent(db), true)
})

t.test('a server without its tables is not ready', async t => {
  const { url } = await emptyDatabase(t)
  const app = await startApp(t, {}, { url })
  const health = await app.server.inject({ url: '/health' })
  t.match([health.statusCode, health.json()], [503, { status: 'not ready', reason: 'migrations missing' }])
  t.equal((await app.server.inject({ url: '/health/live' })).statusCode, 200)
})
