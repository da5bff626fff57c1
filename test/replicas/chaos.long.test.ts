import t, { type Test } from 'tap'
import pg from 'pg'
import { ownServer } from '../support/own-server.js'
import { openProxy } from '../support/proxy.js'
import { startBalancer } from './balancer.js'
import { Crowd } from './crowd.js'
import { type Figures, figuresOf, tableOf, type Window } from './figures.js'
import { settle } from './quiet.js'
import { type Fleet, type Level, startFleet } from './fleet.js'
import { noFaults, readLedger } from './ledger.js'
import { createRandom, seedOf } from './random.js'
import { SCENARIOS, type Stage } from './scenarios.js'

/**
 * Three replicas behind a load balancer without affinity, two dozen agents who retry as docs/integration.md says, and
 * everything that may fail does, under load: what was acknowledged is there once, whoever listens is told everything
 * once and in order, nobody gets a 500, and all is well again without a restart of the service. ROUNDS=…, HOLD_MS=…
 * and PAUSE_MS=… make it longer (npm run chaos, which prints figures), SEED=… plays it again.
 */

const ROUNDS = Number(process.env.ROUNDS ?? 1)
/** How long PostgreSQL stands still, and its disk is full. */
const HOLD_MS = Number(process.env.HOLD_MS ?? 2500)
/** From when something is over to when the next thing strikes. */
const PAUSE_MS = Number(process.env.PAUSE_MS ?? 1500)
/** Enough for what the tests write, and soon filled. */
const DISK_BYTES = 256 * 1024 * 1024
/** As often a client of the guide tries once more, a second or two later. */
const RETRIES = 60
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

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** A round takes two minutes at the default settings, on two cores. A machine may be slow. */
const ROUND_MS = 600_000 + SCENARIOS.length * (HOLD_MS + PAUSE_MS)

t.setTimeout(ROUNDS * ROUND_MS)
const seed = seedOf()
const figures: Figures[] = []
for (let round = 0; round < ROUNDS; round++)
  await t.test(`exactly once, whatever fails, round ${round + 1}`, { timeout: ROUND_MS }, async t => {
    t.comment(`SEED=${seed + round}`)
    figures.push(...(await play(t, seed + round)))
  })
t.comment(`${ROUNDS} rounds; times are the longest of them\n${tableOf(figures)}`)

async function play(t: Test, seed: number): Promise<Figures[]> {
  const random = createRandom(seed)
  const primary = await ownServer(t, { disk_bytes: DISK_BYTES })
  await primary.stop()
  const standby = await primary.standby(t)
  await primary.start()
  // From the beginning: after some minutes the primary no longer has what a standby would have to catch up with.
  await standby.start()
  const proxy = await openProxy(t, primary.url)
  const fleet = await startFleet(t, proxy.url)
  const balancer = await startBalancer(t, fleet.ports)
  t.comment(`behind ${balancer.kind}`)
  const calm = new Crowd(t, { base: balancer.url, random: random.fork(), name: 'calm', retries: RETRIES })
  await calm.begin()
  await wait(2000)
  await calm.end()
  await check(t, calm, primary.url)
  const before = await settle(fleet)

  const crowd = new Crowd(t, { base: balancer.url, random: random.fork(), name: 'crowd', retries: RETRIES })
  await crowd.begin()
  const stage: Stage = { fleet, proxy, primary, standby, crowd, random: random.fork(), hold_ms: HOLD_MS }
  const windows: Window[] = []
  for (const { name, impossible, strike } of SCENARIOS) {
    const reason = impossible?.(stage)
    if (reason !== undefined) {
      t.comment(`${name}: it did not take place: ${reason}`)
      continue
    }
    t.comment(name)
    const struck_at = performance.now()
    await strike(stage)
    const mended_at = performance.now()
    await written(crowd, mended_at)
    await wait(PAUSE_MS)
    windows.push({ name, struck_at, mended_at, until: performance.now() })
  }
  await crowd.end()
  await check(t, crowd, stage.primary.url)
  await isWell(t, fleet, before)
  const found = windows.map(window => figuresOf(window, crowd.journal.outcomes))
  for (const { name, first_ms } of found) t.ok(first_ms < 60_000, `${name}: writes succeed again by themselves`)
  return found
}

/** Waits until writes succeed again, for a minute at most. */
async function written(crowd: Crowd, since: number): Promise<void> {
  const again = () =>
    crowd.journal.outcomes.some(({ at, tool, what }) => at > since && tool === 'add_message' && what === 'success')
  for (const end = since + 60_000; !again() && performance.now() < end;) await wait(50)
}

async function check(t: Test, crowd: Crowd, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const ledger = await readLedger(client)
  await client.end()
  t.comment(`${crowd.written} acknowledged, told ${crowd.told} times; ${String(crowd.journal)}`)
  noFaults(t, crowd.faults(ledger), 'nothing lost, nothing twice, in order, and no failure but 503')
  t.ok(crowd.written > 50, 'they did write')
}

/** Every replica is ready, has logged no error, and holds no more than before. */
async function isWell(t: Test, fleet: Fleet, before: Level[]): Promise<void> {
  const after = await settle(fleet)
  const megabytes = (levels: Level[]) => levels.map(({ heap }) => (heap / 2 ** 20).toFixed(1)).join(' ')
  t.comment(`MB held by the replicas: ${megabytes(before)}, then ${megabytes(after)}`)
  const most = Math.max(...before.map(({ heap }) => heap))
  for (const [replica, { heap, handles }] of after.entries()) {
    t.equal((await fetch(`${fleet.urls[replica]}/health/ready`)).status, 200, `replica ${replica} is ready`)
    t.ok(heap < most + HEAP_MORE, `memory of replica ${replica}: ${heap}, at first at most ${most}`)
    const more = Object.keys(handles).filter(
      kind => (handles[kind] ?? 0) > Math.max(...before.map(one => one.handles[kind] ?? 0)) + (HANDLES_MORE[kind] ?? 0)
    )
    t.same(more, [], `handles of replica ${replica}: ${JSON.stringify(handles)}`)
    t.notMatch(fleet.logged(replica), /"level":(50|60)/, `replica ${replica} has logged no error`)
  }
}
