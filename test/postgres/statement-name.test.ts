import { sql } from 'kysely'
import t from 'tap'
import { PLANNED_EACH_TIME, statementName } from '../../src/postgres/statement-name.js'
import { call, listen, startApp } from '../helper.js'
import { openSession, request } from '../mcp/clients.js'
import { samples } from '../support/samples.js'

t.test('a statement has a name from its second time on, unless it is planned each time', async t => {
  const text = 'select 1 as named_in_this_test'
  t.equal(statementName(text), undefined)
  const name = statementName(text)
  t.match(name, /^scs\.\d+$/)
  t.equal(statementName(text), name)
  const planned = `select ${sql`${PLANNED_EACH_TIME}`.compile((await startApp(t)).database.db).sql} 1`
  for (let i = 0; i < 3; i++) t.equal(statementName(planned), undefined)
  for (let i = 0; i < 3; i++) t.equal(statementName('begin'), undefined)
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
  for (let i = 0; i < 500; i++) for (let times = 0; times < 2; times++) statementName(`select ${i} as many_texts`)
  t.equal(statementName('select 499 as many_texts'), undefined)
})
