import { sql } from 'kysely'
import t from 'tap'
import type { Db } from '../../src/postgres/schema.js'
import { acrossWorkspaces, inWorkspace } from '../../src/postgres/scope.js'
import { nameFor, nameFromSecondTime } from '../../src/postgres/statement-names.js'
import { defineStatement, plannedEachTime, plannedOnce } from '../../src/postgres/statements.js'
import { call, listen, startApp } from '../helper.js'
import { openSession, request } from '../mcp/clients.js'
import { createDatabase } from '../support/cluster.js'
import { openService } from '../support/database.js'
import { samples } from '../support/samples.js'

const { url, drop } = await createDatabase()
t.teardown(drop)
const database = openService(t, url, { max: 1 })
const db = inWorkspace(database.db, 'w')

/** What the one connection has prepared, but for what every statement is preceded by. */
async function prepared(): Promise<Array<{ name: string; statement: string; generic: number; custom: number }>> {
  const { rows } = await database.pool.query<{ name: string; statement: string; generic: number; custom: number }>(
    'select name, statement, generic_plans::int as generic, custom_plans::int as custom from ' +
      "pg_prepared_statements where name not like 'scs.scope.%'"
  )
  return rows
}
const named = async (text: string) => (await prepared()).filter(({ statement }) => statement.includes(text))

t.test('a name is a hash of the text: the same in every process, and another for every other text', async t => {
  t.equal(nameFor('x', 'select 1'), 'x.822ae07d4783158bc1912bb623e5107c')
  t.not(nameFor('x', 'select 2'), nameFor('x', 'select 1'))
  t.ok(nameFor('x'.repeat(30), 'select 1').length <= 63, 'PostgreSQL keeps 63 bytes')
  t.throws(() => nameFor('x'.repeat(31), 'select 1'))
})

t.test('what Kysely builds is prepared from its second time on', async t => {
  const text = 'select 1 as named_in_this_test'
  t.equal(nameFromSecondTime(text), undefined)
  const name = nameFromSecondTime(text)
  t.equal(name, nameFor('scs', text))
  t.equal(nameFromSecondTime(text), name)

  const query = sql<{ n: number }>`select ${2}::int as twice`
  await query.execute(db)
  t.same(await named('as twice'), [])
  await query.execute(db)
  t.match(await named('as twice'), [{ name: nameFor('scs', 'select $1::int as twice') }])
})

t.test('unless it is planned each time; what is planned once has one plan at once', async t => {
  for (let i = 0; i < 3; i++) {
    t.same((await plannedEachTime(db, sql`select ${i}::int as each_time`)).rows, [{ each_time: i }])
    t.same((await plannedOnce(db, sql`select ${i}::int as at_once`)).rows, [{ at_once: i }])
    t.same((await sql`select ${i}::int as as_it_likes`.execute(db)).rows, [{ as_it_likes: i }])
  }
  t.same(await named('as each_time'), [])
  t.match(await named('as at_once'), [{ generic: 2, custom: 0 }])
  t.match(await named('as as_it_likes'), [{ generic: 0, custom: 2 }])
})

t.test('a statement of a fixed text is prepared under its name, on a pool and in a transaction', async t => {
  const text = 'select $1::text as a, $2::int as b'
  const byText = defineStatement<[a: string, b: number], { a: string; b: number }>('test.text', text)
  const built = defineStatement<{ a: string; b: number[] }, { a: string; n: number }>(
    'test.built',
    (_db, { a, b }) => sql`select ${a}::text as a, cardinality(${b}::int[]) + ${10}::int as n, ${a}::text as again`,
    'once'
  )
  for (const on of [db, acrossWorkspaces(database.db)]) {
    t.same(await byText(on, ['x', 1]), [{ a: 'x', b: 1 }])
    t.same(await built(on, { a: 'y', b: [1, 2] }), [{ a: 'y', n: 12, again: 'y' }])
  }
  await db.transaction().execute(async tx => {
    t.same(await byText(tx, ['z', 2]), [{ a: 'z', b: 2 }])
    t.same(await built(tx, { a: 'z', b: [] }), [{ a: 'z', n: 10, again: 'z' }])
  })
  t.match(await named('as b'), [{ name: nameFor('test.text', text), statement: text }])
  const [one, ...others] = await named('cardinality')
  t.same(others, [])
  t.match(one, { name: /^test\.built\.[0-9a-f]{32}$/ })
  t.same([one?.generic, one?.custom], [3, 0], 'it has one plan, in a transaction too')
  await t.rejects(byText(db, ['x', 'not a number' as never]), { code: '22P02' })
  t.same(await byText(db, ['x', 1]), [{ a: 'x', b: 1 }], 'a fault changes nothing')
})

t.test('one plan in a transaction is for its statement alone', async t => {
  const once = defineStatement<[n: number], { n: number }>('test.once', 'select $1::int as n', 'once')
  const settings = sql<{ mode: string; scans: string }>`
    select current_setting('plan_cache_mode') as mode, current_setting('enable_seqscan') as scans`
  await db.transaction().execute(async tx => {
    t.same(await once(tx, [1]), [{ n: 1 }])
    t.same((await settings.execute(tx)).rows, [{ mode: 'auto', scans: 'on' }])
    t.same([await once(tx, [2]), await once(tx, [3])], [[{ n: 2 }], [{ n: 3 }]])
  })
  t.match(await named('select $1::int as n'), [{ generic: 3, custom: 0 }])
  t.same((await settings.execute(db)).rows, [{ mode: 'auto', scans: 'on' }])
})

t.test('a statement may go with the next one, the commit at the latest', async t => {
  await database.pool.query('create table went (n int primary key); grant all on went to public')
  const go = defineStatement<[n: string], never>('test.go', 'insert into went values ($1::int)', undefined, {
    withNext: true
  })
  const there = async (on: Db) => (await sql<{ n: number }>`select n from went order by n`.execute(on)).rows
  await db.transaction().execute(async tx => {
    await go(tx, ['1'])
    t.same(await there(tx), [{ n: 1 }], 'with the first statement')
    await go(tx, ['2'])
  })
  t.same(await there(db), [{ n: 1 }, { n: 2 }], 'with the commit')
  await go(db, ['3'])
  t.same((await there(db)).length, 3, 'at once outside a transaction')
  await db.transaction().execute(async tx => go(tx, ['4']))
  t.same((await there(db)).length, 4, 'where nothing else is in the transaction')

  for (const more of [async () => undefined, async (tx: Db) => there(tx)]) {
    const twice = db.transaction().execute(async tx => {
      await sql`insert into went values (5)`.execute(tx)
      await go(tx, ['1'])
      await more(tx)
    })
    await t.rejects(twice, { code: '23505' }, 'its fault is what the transaction fails with')
    t.same((await there(db)).length, 4, 'nothing of it is committed')
  }
  const left = db.transaction().execute(async tx => {
    await go(tx, ['6'])
    throw new Error('left')
  })
  await t.rejects(left, { message: 'left' })
  t.same((await there(db)).length, 4, 'it goes with no rollback')
  await t.rejects(
    db.transaction().execute(async tx => go(tx, [7 as unknown as string])),
    { message: 'A statement that is sent with the next one has texts as its values.' }
  )
})

/**
 * During a deploy the next release's migrations run beside this one: a prepared statement must not notice a new column.
 */
t.test('every tool goes on when each table gains a column', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '2' })
  await listen(app)
  const all = async () => {
    for (const [tool, sample] of Object.entries(samples)) {
      const { args, as } = await sample(app)
      t.match(await call(app, tool, args, as), { status: 200 }, tool)
    }
    t.match(await request(app, 'legacy', 'tools/list', {}, await openSession(app)), { status: 200 })
  }
  // On both connections.
  for (let i = 0; i < 3; i++) await all()
  const { rows } = await sql<{
    name: string
  }>`select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'`.execute(
    app.database.db
  )
  for (const { name } of rows)
    await sql`alter table ${sql.table(name)} add column of_the_next_release text`.execute(app.database.db)
  await all()
})

// Last: it uses them up.
t.test('names come to an end, statements do not', async t => {
  for (let i = 0; i < 500; i++) for (let times = 0; times < 2; times++) nameFromSecondTime(`select ${i} as many_texts`)
  t.equal(nameFromSecondTime('select 499 as many_texts'), undefined)
})
