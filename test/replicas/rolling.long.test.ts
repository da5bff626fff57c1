import pg from 'pg'
import t from 'tap'
import { ownServer } from '../support/own-server.js'
import { startBalancer } from './balancer.js'
import { Crowd } from './crowd.js'
import { startFleet } from './fleet.js'
import { noFaults, readLedger } from './ledger.js'
import { createRandom, seedOf } from './random.js'

/** A deploy: every replica is told to stop and started again, one after the other, while two dozen agents go on. */

t.test('a rolling restart that nobody notices who tries once more', { timeout: 170_000 }, async t => {
  const random = createRandom(seedOf())
  t.comment(`SEED=${random.seed}`)
  const server = await ownServer(t)
  const fleet = await startFleet(t, server.url)
  const balancer = await startBalancer(t, fleet.ports)
  t.comment(`behind ${balancer.kind}`)
  const crowd = new Crowd(t, { base: balancer.url, random: random.fork(), name: 'crowd', retries: 1 })
  await crowd.begin()
  for (const replica of fleet.ports.keys()) {
    await new Promise(resolve => setTimeout(resolve, 1000))
    t.equal(await fleet.stop(replica, 'SIGTERM'), 0, 'everything begun was finished in time')
    await fleet.start(replica)
  }
  await new Promise(resolve => setTimeout(resolve, 1000))
  await crowd.end()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const ledger = await readLedger(client)
  await client.end()
  t.comment(`${crowd.written} acknowledged, told ${crowd.told} times; ${String(crowd.journal)}`)
  noFaults(t, crowd.faults(ledger), 'no request has failed twice; nothing lost, nothing twice, in order')
  const count = (what: string) => crowd.journal.counts.get(what) ?? 0
  t.ok(count('streams that ended') > 0, 'some were open')
  t.equal(
    count('streams ended with stopping'),
    count('streams that ended'),
    'streams end with words that make the client come back'
  )
  for (const replica of fleet.ports.keys())
    t.notMatch(fleet.logged(replica), /"level":(50|60)/, 'no replica has logged an error')
})
