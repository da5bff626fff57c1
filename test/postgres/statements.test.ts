import { sql } from 'kysely'
import t from 'tap'
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
  t.equal(one?.generic, 2, 'outside a transaction it has one plan')
  await t.rejects(byText(db, ['x', 'not a number' as never]), { code: '22P02' })
  t.same(await byText(db, ['x', 1]), [{ a: 'x', b: 1 }], 'a fault changes nothing')
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
