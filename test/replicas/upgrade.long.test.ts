import pg from 'pg'
import t from 'tap'
import { compiled, environment, runToEnd } from '../helper.js'
import { administer } from '../support/database.js'
import { ownServer } from '../support/own-server.js'
import { startBalancer } from './balancer.js'
import { Crowd } from './crowd.js'
import { startFleet } from './fleet.js'
import { buildLastRelease } from './last-release.js'
import { noFaults, readLedger } from './ledger.js'
import { useBoth } from './mixed.js'
import { createRandom, seedOf } from './random.js'
import { Visitors } from './visitors.js'

/**
 * An upgrade from the last release, under load: the database is migrated while old replicas serve, each replica is
 * replaced by a new one, and one goes back to the old program for a while. Both use what the other has written.
 */

const PAUSE_MS = Number(process.env.PAUSE_MS ?? 2000)
/** As often a client of the guide tries once more. */
const RETRIES = 3

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

const old = await buildLastRelease(t)
const now = compiled()
const skip = old === undefined && 'the last release is not in the history of this copy of the repository'

t.test('old and new replicas beside each other, through every migration', { timeout: 550_000, skip }, async t => {
  const random = createRandom(seedOf())
  t.comment(`SEED=${random.seed}`)
  const server = await ownServer(t)
  // As the chart and k8s/ have it: an init container migrates.
  const more = { MIGRATE_ON_START: 'false' }
  const migrate = (file?: string) => runToEnd(['migrate', 'up'], environment(server.url, more), { file })
  t.match(await migrate(old), { code: 0, stdout: /0018-seen-by-some\n$/ }, 'the database of the last release')
  const fleet = await startFleet(t, server.url, more, 3, old)
  const balancer = await startBalancer(t, fleet.ports)
  t.comment(`behind ${balancer.kind}`)
  const options = { base: balancer.url, retries: RETRIES }
  const crowd = new Crowd(t, { ...options, random: random.fork(), name: 'crowd' })
  await crowd.begin()
  const visitors = new Visitors(t, { ...options, random: random.fork() })
  await wait(PAUSE_MS)

  const migrated = await migrate()
  t.match(migrated, { code: 0 })
  t.match(migrated.stdout, /^applied {2}0078-[^]*applied {2}0101-/, 'every migration since then')
  t.comment(migrated.stdout.replaceAll('\n', ' '))
  const [since] = await administer(server.url, 'select now()::text as at')
  await wait(PAUSE_MS)
  const replace = async (replica: number, file: string | undefined) => {
    t.equal(await fleet.stop(replica, 'SIGTERM'), 0, 'everything begun was finished in time')
    await fleet.start(replica, file)
    await wait(PAUSE_MS)
  }
  for (const replica of fleet.ports.keys()) {
    t.equal((await fetch(`${fleet.urls[replica]}/health/ready`)).status, 200, 'an old one is ready after it')
    await replace(replica, now)
    if (replica === 0) await useBoth(t, fleet.urls[0] as string, fleet.urls[1] as string)
  }
  t.comment('one goes back')
  await replace(0, old)
  await replace(0, now)
  await crowd.end()
  await visitors.end()

  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const ledger = await readLedger(client)
  const { rows } = await client.query(
    'select count(*)::int as values from agent_memory where revision is null and updated_at > $1',
    [since.at]
  )
  await client.end()
  t.comment(`${crowd.written} acknowledged, told ${crowd.told} times; ${String(crowd.journal)}`)
  t.comment(`${visitors.turns} visits; ${String(visitors.journal)}`)
  noFaults(t, crowd.faults(ledger), 'nothing lost, nothing twice, in order, and no failure but 503')
  noFaults(t, visitors.journal.faults, 'nor for those who use the rest')
  t.ok(crowd.written > 100 && visitors.turns > 50, 'they did work')
  t.same(rows, [{ values: 0 }], 'whatever was written since has a version of the sequence')
  for (const replica of fleet.ports.keys())
    t.notMatch(fleet.logged(replica), /"level":(50|60)/, `replica ${replica} has logged no error`)
})

t.test('the old program does not start by itself on the new database', { timeout: 120_000, skip }, async t => {
  const server = await ownServer(t)
  await runToEnd(['migrate', 'up'], environment(server.url))
  const { code, stderr } = await runToEnd(['serve'], environment(server.url), { file: old })
  t.equal(code, 1)
  t.match(stderr, /newer than this program/)
})
