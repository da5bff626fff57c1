import { sql } from 'kysely'
import t from 'tap'
import { acrossWorkspaces, enterWorkspace, inWorkspace, acrossWorkspacesIn } from '../../../src/postgres/scope.js'
import { defineStatement } from '../../../src/postgres/statements.js'
import { createDatabase } from '../../support/cluster.js'
import { openOwner, openService } from '../../support/database.js'
import { until } from '../../support/until.js'

/** How a statement is told for which workspace it runs: with it, for it alone. */

const { url, drop } = await createDatabase()
t.teardown(drop)
const database = openService(t, url, { max: 1 })
const owner = openOwner(t, url)
const { db: service } = database
const [a, b] = [inWorkspace(service, 'a'), inWorkspace(service, 'b')]
interface Told {
  workspace: string
  me: string
}
const told = sql<Told>`select current_setting('scs.workspace', true) as workspace, current_user as me`

const wrong = defineStatement<[], never>('test.wrong', 'select nonsense')
const divided = defineStatement<[by: number], { n: number }>('test.divided', 'select 1 / $1::int as n')
const whose = defineStatement<[], Pick<Told, 'workspace'>>(
  'test.whose',
  "select current_setting('scs.workspace') as workspace"
)

t.test('each statement runs for its own workspace, and leaves nothing behind on the connection', async t => {
  const found = await Promise.all(
    Array.from(
      { length: 60 },
      async (_, i) =>
        (await told.execute([a, b, acrossWorkspaces(service), inWorkspace(service, undefined)][i % 4] as typeof a))
          .rows[0]?.workspace
    )
  )
  t.same(
    found,
    Array.from({ length: 60 }, (_, i) => ['a', 'b', '*', ''][i % 4])
  )
  const {
    rows: [row]
  } = await database.pool.query<Told>("select current_setting('scs.workspace', true) as workspace, current_user as me")
  const {
    rows: [login]
  } = await told.execute(owner)
  t.equal(row?.workspace, '*', "as the tests' database has it by itself")
  t.equal(row?.me, login?.me, 'as who has logged in')
  t.not((await told.execute(a)).rows[0]?.me, login?.me)
})

t.test('so do transactions, which are told once', async t => {
  await a.transaction().execute(async tx => {
    t.equal((await told.execute(tx)).rows[0]?.workspace, 'a')
    t.equal((await told.execute(tx)).rows[0]?.workspace, 'a')
    await enterWorkspace(tx, 'b')
    t.equal((await told.execute(tx)).rows[0]?.workspace, 'b')
    t.equal(await acrossWorkspacesIn(tx, async () => (await told.execute(tx)).rows[0]?.workspace), '*')
    t.equal((await told.execute(tx)).rows[0]?.workspace, 'b')
  })
  await t.rejects(
    a.transaction().execute(async tx => {
      await sql`select 1 / 0`.execute(tx)
    }),
    { code: '22012' }
  )
  t.equal((await told.execute(b)).rows[0]?.workspace, 'b')
  await a
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async tx => {
      t.equal((await told.execute(tx)).rows[0]?.workspace, 'a')
      t.same(
        (await sql<{ level: string }>`select current_setting('transaction_isolation') as level`.execute(tx)).rows,
        [{ level: 'repeatable read' }]
      )
    })
  t.equal(await a.connection().execute(async one => (await told.execute(one)).rows[0]?.workspace), 'a')
})

t.test('a statement that fails, prepared or not, does not keep the next from it', async t => {
  for (let i = 0; i < 3; i++) {
    await t.rejects(sql`select nonsense`.execute(a), { code: '42703' })
    await t.rejects(wrong(a, []), { code: '42703' })
    await t.rejects(divided(a, [0]), {
      code: '22012'
    })
    t.same(await divided(a, [1]), [{ n: 1 }])
    t.same(await whose(b, []), [{ workspace: 'b' }])
    t.equal((await told.execute(a)).rows[0]?.workspace, 'a')
  }
})

t.test('on a new connection too, where nothing is prepared yet', async t => {
  for (const first of [
    () => t.rejects(wrong(a, [])),
    () => t.rejects(sql`select nonsense`.execute(a)),
    () => told.execute(a)
  ]) {
    await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database()
      and pid <> pg_backend_pid()`.execute(owner)
    await until(() => database.pool.totalCount === 0, 'the pool has heard of it')
    await first()
    t.same(await whose(b, []), [{ workspace: 'b' }])
    t.equal((await told.execute(a)).rows[0]?.workspace, 'a')
  }
})

t.test('no workspace is called by the sign for all of them', async t => {
  t.throws(() => inWorkspace(service, '*'))
  await t.rejects(a.transaction().execute(tx => enterWorkspace(tx, '*')))
})

t.test('more workspaces than are kept', async t => {
  for (let n = 0; n < 1200; n++) inWorkspace(service, `many-${n}`)
  t.equal((await told.execute(a)).rows[0]?.workspace, 'a')
  t.equal((await told.execute(inWorkspace(service, 'many-0'))).rows[0]?.workspace, 'many-0')
})
