import t, { type Test } from 'tap'
import type { RateLimitStatus } from '../../src/kernel/rate-limit-status.js'
import type { PerMinute } from '../../src/limits/rate-limits.js'
import { networkOf } from '../../src/kernel/network.js'
import { connectAsOwner } from '../../src/postgres/connect.js'
import { countCalls, type RateLimits } from '../../src/limits/store/rate-limits.js'
import { sweep } from '../../src/lifecycle/sweep.js'
import { createDatabase } from '../support/cluster.js'
import { optionsFor } from '../support/database.js'

const database = await createDatabase()
t.teardown(() => database.drop())

const limits = (limit: number): PerMinute => ({
  agent: limit,
  key: limit,
  address: limit,
  failure: limit,
  initialize: limit,
  initialize_key: limit,
  initialize_workspace: limit
})

/** What counts in one replica, on connections of its own. */
function replica(
  t: Test,
  limit: number,
  window_ms?: number,
  url = database.url
): RateLimits & { db: ReturnType<typeof connectAsOwner>['db'] } {
  const own = connectAsOwner(optionsFor(url, { statement_timeout_ms: 5000 }))
  const counting = countCalls(own.db, limits(limit), window_ms)
  t.teardown(async () => {
    await counting.close()
    await own.close()
  })
  return { ...counting, db: own.db }
}

/** Calls from all sides, some at a time, until `calls` have been made. @returns how many were let through */
async function storm(replicas: RateLimits[], subject: string, calls: number, together = 20): Promise<number> {
  let through = 0
  let made = 0
  await Promise.all(
    Array.from({ length: together }, async (_, i) => {
      while (made < calls) {
        made++
        const { admitted } = await (replicas[(made + i) % replicas.length] as RateLimits).take(
          'agent',
          'default',
          subject,
          1
        )
        if (admitted) through++
      }
    })
  )
  return through
}

t.test('one replica lets through exactly as many as it may', async t => {
  for (const limit of [1, 7, 399, 400, 5000]) {
    t.equal(await storm([replica(t, limit)], `alone ${limit}`, limit + 50), limit, `${limit}`)
  }
})

t.test('three replicas together never let through more, and hardly less', async t => {
  for (const limit of [1, 10, 399]) {
    const three = [1, 2, 3].map(() => replica(t, limit))
    t.equal(await storm(three, `three ${limit}`, limit * 3 + 50), limit, `${limit} exactly`)
  }
  for (const limit of [1000, 20_000]) {
    const three = [1, 2, 3].map(() => replica(t, limit))
    const through = await storm(three, `three ${limit}`, limit + 5000, 60)
    t.ok(through <= limit, `${through} of ${limit}`)
    t.ok(through >= limit * (1 - 2 * 0.0075), `${through} of ${limit}`)
  }
})

t.test('a replica that is given little by its balancer leaves the rest to the others', async t => {
  const [busy, idle] = [replica(t, 10_000), replica(t, 10_000)]
  t.match(await idle.take('agent', 'default', 'uneven', 1), { admitted: true })
  t.ok((await storm([busy], 'uneven', 11_000)) >= 10_000 * (1 - 0.0075))
})

t.test('subjects, kinds and workspaces are counted apart; refusing one does not slow another', async t => {
  const { take } = replica(t, 3)
  const ask = async (of: 'agent' | 'key', workspace: string, subject: string) =>
    (await take(of, workspace, subject, 1)).admitted
  for (let i = 0; i < 3; i++) t.equal(await ask('agent', 'default', 'apart'), true)
  t.equal(await ask('agent', 'default', 'apart'), false)
  t.equal(await ask('key', 'default', 'apart'), true)
  t.equal(await ask('agent', 'other', 'apart'), true)
  t.equal(await ask('agent', 'default', 'apart 2'), true)
})

t.test('a standing tells what is left and for how long, and waiting that long helps', async t => {
  const { take } = replica(t, 2, 1500)
  t.match(await take('agent', 'default', 'wait', 1), {
    of: 'agent',
    limit: 2,
    remaining: 1,
    reset_s: 2,
    admitted: true
  })
  t.match(await take('agent', 'default', 'wait', 1), { remaining: 0, admitted: true })
  const refused = await take('agent', 'default', 'wait', 1)
  t.match(refused, { remaining: 0, admitted: false })
  await new Promise(resolve => setTimeout(resolve, refused.reset_s * 1000))
  t.match(await take('agent', 'default', 'wait', 1), { remaining: 1, admitted: true })
})

t.test('in no window is more let through, while windows come and go', async t => {
  const limit = 50
  const window_ms = 400
  const three = [1, 2, 3].map(() => replica(t, limit, window_ms))
  const began = Date.now()
  let through = 0
  while (Date.now() - began < 2000) through += await storm(three, 'windows', 200)
  // A window begins when the last is over, so that there cannot have been more of them.
  const windows = Math.ceil((Date.now() - began) / window_ms)
  t.ok(through <= windows * limit, `${through} in at most ${windows} windows of ${limit}`)
  t.ok(through > 2 * limit, `${through}: a new window is a new start`)
})

t.test('several at once are taken together or not at all', async t => {
  const { take } = replica(t, 100)
  t.match(await take('agent', 'default', 'many', 60), { admitted: true, remaining: 40 })
  t.match(await take('agent', 'default', 'many', 60), { admitted: false })
  t.match(await take('agent', 'default', 'many', 40), { admitted: true, remaining: 0 })
})

t.test('most calls need no statement', async t => {
  const { take, db } = replica(t, 120_000)
  await take('agent', 'default', 'cheap', 1)
  let waited = 0
  for (let i = 1; i < 2000; i++) {
    const standing = take('agent', 'default', 'cheap', 1)
    if (standing instanceof Promise) waited++
    await standing
    // A turn of the event loop in ten calls, for what is fetched in advance.
    if (i % 10 === 0) await new Promise(setImmediate)
  }
  t.ok(waited <= 10, `${waited} of 2000 calls waited for the database`)
  const row = await db
    .selectFrom('rate_limits')
    .select('taken')
    .where('subject', '=', 'cheap')
    .executeTakeFirstOrThrow()
  t.ok(row.taken >= 2000 && row.taken <= 2000 + 1200, `${row.taken} taken`)
})

t.test('without a database a replica counts by itself, bounded too', async t => {
  const { take } = replica(t, 400, undefined, 'postgres://nobody@127.0.0.1:1/nothing')
  const standings: RateLimitStatus[] = []
  for (let i = 0; i < 5; i++) standings.push(await take('agent', 'default', 'alone', 1))
  t.same(
    standings.map(({ admitted }) => admitted),
    [true, true, false, false, false]
  )
  t.equal(standings[4]?.reset_s, 1)
})

t.test('windows that are over are swept', async t => {
  const { take, db } = replica(t, 10, 1)
  await take('agent', 'default', 'swept', 1)
  await new Promise(resolve => setTimeout(resolve, 50))
  await sweep(db)
  t.same(await db.selectFrom('rate_limits').selectAll().where('subject', '=', 'swept').execute(), [])
})

t.test('the network of an address', async t => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['stdio', 'stdio']
  ] as const)
    t.equal(networkOf(address), network, address)
  t.ok(networkOf('x'.repeat(10_000)).length <= 100)
})
