import { sql } from 'kysely'
import type pg from 'pg'
import t from 'tap'
import { inWorkspace } from '../../src/postgres/scope.js'
import { createDatabase } from '../support/cluster.js'
import { administer, openService } from '../support/database.js'
import { quietPort } from '../support/ports.js'
import { openProxy } from '../support/proxy.js'
import { until } from '../support/until.js'

/** Transactions begin with their first statement: what that means where it fails. */

const { url, drop } = await createDatabase()
t.teardown(drop)
const proxy = await openProxy(t, url)
const service = openService(t, proxy.url, { max: 1 })
/** The connections of its pool whose end it has not heard of. */
const open = new Set<pg.PoolClient>()
service.pool.on('connect', client => {
  open.add(client)
  client.once('end', () => open.delete(client))
})
const db = inWorkspace(service.db, 'w')
await administer(url, 'create table kept (n int)', 'grant all on kept to public')
const kept = async () => (await administer(url, 'select n from kept order by n')).map(({ n }) => n as number)

t.test('one whose connection has ended begins on another', async t => {
  await db.transaction().execute(async tx => {
    await endConnections()
    await sql`insert into kept values (1)`.execute(tx)
  })
  t.same(await kept(), [1])
})

t.test('and where no other can be had, that is its error', async t => {
  const failed = db.transaction().execute(async tx => {
    proxy.target = `postgres://127.0.0.1:${await quietPort()}/none`
    await endConnections()
    await sql`insert into kept values (2)`.execute(tx)
  })
  await t.rejects(failed, { name: 'ConnectError' })
  proxy.target = url
  await sql`insert into kept values (3)`.execute(db)
  t.same(await kept(), [1, 3])
})

t.test('what comes after its end does not run outside of it', async t => {
  const insert = (n: number) => sql`insert into kept values (${n})`
  const failed = db.transaction().execute(async tx => {
    await Promise.all([sql`select 1 / 0`.execute(tx), insert(4).execute(tx), insert(5).execute(tx)])
  })
  await t.rejects(failed, { code: '22012' })
  await sql`select 1`.execute(db)
  t.same(await kept(), [1, 3])
})

t.test('one that has run nothing proves nothing of the database', async t => {
  const before = service.lastGoodAt()
  await db.transaction().execute(async () => {})
  t.equal(service.lastGoodAt(), before)
  await sql`select 1`.execute(db)
  t.ok(service.lastGoodAt() > before)
})

/** Ends what the service has open, and waits until it knows. */
async function endConnections(): Promise<void> {
  await administer(
    url,
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where pid <> pg_backend_pid() and datname = current_database() and backend_type = 'client backend'`
  )
  await until(() => open.size === 0, 'the service knows')
}
