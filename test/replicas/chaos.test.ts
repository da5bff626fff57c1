import pg from 'pg'
import t, { type Test } from 'tap'
import { ownServer } from '../support/own-server.js'
import { startBalancer } from './balancer.js'
import { Crowd } from './crowd.js'
import { type Fleet, startFleet } from './fleet.js'
import { readLedger } from './ledger.js'
import { settle } from './quiet.js'
import { createRandom, type Random, seedOf } from './random.js'

/**
 * Three replicas behind a load balancer without affinity, two dozen agents, and everything that may die does: what was
 * acknowledged is there once, and whoever listens is told everything once and in order.
 */

/** What happens, one after the other; which replica it strikes is chance. */
const EVENTS = ['kill', 'backends', 'restart', 'kill', 'kill'] as const
/** On a machine that is busy with other things, where a start alone takes long, the last of them are left out. */
const ENOUGH_MS = 28_000
const BETWEEN_MS = { from: 1000, to: 2000 }
/** Bytes a replica may hold more in the end than in the beginning; what code and caches take while it warms up. */
const HEAP_MORE = 12 * 1024 * 1024
/**
 * The pool opens and closes connections as it needs them, and the proxy keeps a few; a clock may run that has not yet
 * noticed.
 */
const HANDLES_MORE: Record<string, number> = {
  TCPSocketWrap: 18,
  Timeout: 10,
  Immediate: 1,
  GetAddrInfoReqWrap: 1,
  TCPConnectWrap: 2
}

t.test('exactly once, whatever dies', { timeout: 170_000 }, async t => {
  const random = createRandom(seedOf())
  t.comment(`SEED=${random.seed}`)
  const began = performance.now()
  const seconds = () => Math.round((performance.now() - began) / 1000)
  const server = await ownServer(t)
  const fleet = await startFleet(t, server.url)
  const balancer = await startBalancer(t, fleet.ports)
  t.comment(`behind ${balancer.kind}, ready after ${seconds()} s`)

  const calm = new Crowd({ base: balancer.url, random: random.fork(), name: 'calm' })
  await calm.begin()
  await new Promise(resolve => setTimeout(resolve, 2000))
  await calm.end()
  await check(t, calm, server.url)
  const before = await settle(fleet)

  const crowd = new Crowd({ base: balancer.url, random: random.fork(), name: 'crowd' })
  await crowd.begin()
  t.comment(`it begins after ${seconds()} s`)
  await disturb(t, fleet, server, random.fork())
  t.comment(`it ends after ${seconds()} s`)
  await crowd.end()
  await check(t, crowd, server.url)
  t.comment(`told after ${seconds()} s`)

  const after = await settle(fleet)
  const shown = [before, after].map(levels => levels.map(({ heap }) => (heap / 2 ** 20).toFixed(1)).join(' '))
  t.comment(`MB held by the replicas: ${shown.join(', then ')}`)
  const most = Math.max(...before.map(({ heap }) => heap))
  for (const [replica, { heap }] of after.entries())
    t.ok(heap < most + HEAP_MORE, `memory of replica ${replica}: ${heap}, at first at most ${most}`)
  for (const [replica, { handles }] of after.entries()) {
    const more = Object.keys(handles).filter(
      kind => (handles[kind] ?? 0) > Math.max(...before.map(one => one.handles[kind] ?? 0)) + (HANDLES_MORE[kind] ?? 0)
    )
    t.same(more, [], `handles of replica ${replica}: ${JSON.stringify(handles)}`)
  }
  for (const replica of fleet.ports.keys())
    t.notMatch(fleet.logged(replica), /"level":(50|60)/, 'no replica has logged an error')
})

async function check(t: Test, crowd: Crowd, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const ledger = await readLedger(client)
  await client.end()
  t.comment(`${crowd.written} acknowledged, told ${crowd.told} times; ${String(crowd.journal)}`)
  t.same(crowd.faults(ledger), [], 'nothing lost, nothing twice, in order, and no failure but 503')
  t.ok(crowd.written > 50, 'they did write')
}

async function disturb(
  t: Test,
  fleet: Fleet,
  server: Awaited<ReturnType<typeof ownServer>>,
  random: Random
): Promise<void> {
  const enough = performance.now() + ENOUGH_MS
  for (const event of EVENTS) {
    if (performance.now() > enough) return
    await new Promise(resolve => setTimeout(resolve, random.between(BETWEEN_MS.from, BETWEEN_MS.to)))
    if (event === 'kill') {
      const replica = random.between(0, fleet.ports.length)
      t.comment(`replica ${replica} is killed`)
      await fleet.stop(replica, 'SIGKILL')
      await fleet.start(replica)
    } else if (event === 'backends') {
      t.comment('all connections to the database are terminated')
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = ' +
          'current_database() and pid <> pg_backend_pid()'
      )
      await client.end()
    } else {
      t.comment('PostgreSQL is restarted')
      await server.stop()
      await server.start()
    }
  }
}
