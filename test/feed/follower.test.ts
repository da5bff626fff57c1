import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { Agent } from '../../src/kernel/agent.js'
import { createHub, sessionTopic } from '../../src/kernel/events.js'
import { createSemaphore } from '../../src/kernel/semaphore.js'
import { compareSnapshots } from '../../src/feed/feed-cursor.js'
import { Followers } from '../../src/feed/followers.js'
import type { EndReason, Follower, Following } from '../../src/feed/live.js'
import { createPace, deliveryPace } from '../../src/feed/pace.js'
import type { Feed } from '../../src/feed/paged-feed.js'
import { startApp } from '../helper.js'
import { until } from '../support/until.js'

/**
 * Following by itself, on a feed that a table of PostgreSQL holds: each row is a number, and is for everybody, or for
 * one agent. The feed's cursor is the number; a page has ten.
 */

const { database, server } = await startApp(t)
const { db, pool } = database
await pool.query('create table numbers (feed text, n int, only_for text, primary key (feed, n))')
const FEED_SIZE = { most: 10, least: 4 }

interface Row {
  n: number
  only_for: string | null
}

/** A feed of its own for each test, and followers who share nothing with another test. */
function setUp(
  t: Test,
  { pace = createPace(1e9, 1e9, 0), part = false }: { pace?: ReturnType<typeof createPace>; part?: boolean } = {}
) {
  const feed_id = randomUUID()
  const topic = sessionTopic('default', feed_id)
  const events = createHub()
  const stopping = new AbortController()
  const revoked = new Set<string>()
  /** Ids that only the database knows about. */
  const forgotten = new Set<string>()
  const faults: unknown[] = []
  const reads: Array<{ from: number; viewers: string[] }> = []
  const state = { fails: false, gone: false }
  const feed: Feed<number, number> = {
    topic,
    knows: (version, cursor) => version !== '' && Number(version) <= cursor,
    size: FEED_SIZE,
    distance: (from, to) => to - from,
    keyOf: cursor => cursor,
    async end() {
      if (state.fails) throw new Error('the database is away')
      return state.gone ? undefined : { cursor: await head(), waiting: 0 }
    },
    async read(viewers, from, to, size) {
      if (state.fails) throw new Error('the database is away')
      reads.push({ from, viewers: viewers.map(({ agent_id }) => agent_id) })
      if (state.gone) return undefined
      const end = await head()
      const cursor = Math.min(end, to ?? Infinity, from + size)
      const { rows } = await sql<Row>`
        select n, only_for from numbers where feed = ${feed_id} and n > ${from} and n <= ${cursor} order by n`.execute(
        db
      )
      return {
        cursor,
        waiting: part ? 0 : end - cursor,
        partial: part && cursor < end && to === undefined,
        ...(cursor > from && {
          changesOf: viewer =>
            rows.filter(({ only_for }) => only_for === null || only_for === viewers[viewer]?.agent_id).map(({ n }) => n)
        })
      }
    }
  }
  async function head(): Promise<number> {
    const { rows } = await sql<{ head: number }>`
      select coalesce(max(n), 0)::int as head from numbers where feed = ${feed_id}`.execute(db)
    return rows[0]?.head ?? 0
  }
  const followers = new Followers<number, number>({
    db: server.database.db,
    events,
    tokens: {
      revoked: async id => revoked.has(id),
      knownRevoked: id => (forgotten.has(id) ? undefined : revoked.has(id))
    },
    stopping: stopping.signal,
    readings: createSemaphore(2),
    pace,
    onFault: error => {
      faults.push(error)
    }
  })
  t.teardown(() => {
    events.close()
  })
  return {
    ...{ followers, events, topic, stopping, revoked, forgotten, faults, reads, state },
    grow: async (count: number, only_for: string | null = null, hint = true) => {
      await sql`
        insert into numbers select ${feed_id}, ${await head()} + n, ${only_for}
        from generate_series(1, ${count}::int) n`.execute(db)
      if (hint) events.publish([topic])
    },
    follow: (viewer: Agent, cursor: number, more: Partial<Follower<number, number>> = {}): Told => {
      const told: Omit<Told, 'following'> = { numbers: [], deliveries: [], ended: [] }
      const following = followers.follow('feed', () => feed, viewer, cursor, {
        deliver(changes, upTo, more) {
          told.numbers.push(...changes)
          told.deliveries.push({ count: changes.length, cursor: upTo, more })
        },
        ended: reason => {
          told.ended.push(reason)
        },
        ...more
      })
      t.teardown(following.close)
      return Object.assign(told, { following })
    }
  }
}

interface Told {
  numbers: number[]
  deliveries: Array<{ count: number; cursor: number; more: boolean }>
  ended: EndReason[]
  following: Following
}

const agent = (agent_id: string, more: Partial<Agent> = {}): Agent => ({
  workspace: 'default',
  agent_id,
  agent_type: 'custom',
  permissions: ['read'],
  ...more
})
const token = (jti: string) => ({ token: { jti, expires_at: new Date(Date.now() + 3_600_000) } })
const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i + 1)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

t.jobs = 4

t.test('from any cursor everything comes once, in order, with what it is for', async t => {
  const { grow, follow } = setUp(t)
  await grow(35)
  const told = [0, 7, 35, 999].map(cursor => follow(agent(`from ${cursor}`), cursor))
  const alone = follow(agent('alone'), 0)
  await until(() => alone.deliveries.at(-1)?.cursor === 35, 'caught up')
  await grow(5, 'alone')
  await grow(7)
  await until(() => [...told, alone].every(({ deliveries }) => deliveries.at(-1)?.cursor === 47), 'all are told')
  const others = upTo(47).filter(n => n <= 35 || n > 40)
  t.same(alone.numbers, upTo(47))
  t.same(told[0]?.numbers, others)
  t.same(
    told[1]?.numbers,
    others.filter(n => n > 7)
  )
  t.same(told[2]?.numbers, upTo(47, 40))
  t.same(told[3]?.numbers, upTo(47, 40), 'a cursor beyond the end is the end')
  for (const { deliveries } of [...told, alone]) {
    t.ok(deliveries.every(({ count }) => count <= FEED_SIZE.most))
    t.equal(deliveries.at(-1)?.more, false)
  }
})

t.test('one reading serves all at one cursor, and those with the same rights are one viewer of it', async t => {
  const { grow, follow, reads, followers } = setUp(t)
  const told = Array.from({ length: 60 }, (_, i) => follow(agent(`agent-${i % 3}`), 0))
  await until(() => followers.position('feed') !== undefined, 'read')
  reads.length = 0
  await grow(1)
  await until(() => told.every(({ numbers }) => numbers.length === 1), 'all told')
  t.same(reads, [{ from: 0, viewers: ['agent-0', 'agent-1', 'agent-2'] }])
})

t.test('those who are behind at one cursor share their pages too', async t => {
  const { grow, follow, reads, followers } = setUp(t)
  const first = follow(agent('first'), 0)
  await grow(40)
  await until(() => first.numbers.length === 40, 'the first has all')
  t.match(followers.position('feed'), { cursor: 40 })
  reads.length = 0
  const told = Array.from({ length: 20 }, (_, i) => follow(agent(`late ${i}`), 10, { maxChanges: 2 }))
  await until(() => told.every(({ numbers }) => numbers.length === 30), 'all caught up')
  t.equal(reads.length, Math.ceil(30 / FEED_SIZE.least), 'each page was read once, and no larger than it was wanted')
  t.same(told[19]?.numbers, upTo(40, 10))
})

t.test('while it is behind, a follower sets the pace; the others do not wait for it', async t => {
  const { grow, follow } = setUp(t)
  await grow(30)
  let go = () => {}
  const slow: number[] = []
  follow(agent('slow'), 0, {
    deliver(changes) {
      slow.push(...changes)
      return new Promise<void>(resolve => {
        go = resolve
      })
    }
  })
  const quick = follow(agent('quick'), 0)
  await until(() => quick.numbers.length === 30, 'the quick one has all')
  await pause(50)
  t.same(slow, upTo(10), 'the slow one has a page')
  go()
  await until(() => slow.length === 20, 'and another')
  go()
  await until(() => slow.length === 30, 'and the last')
})

t.test('what one look has found is told to its end before the cursor moves', async t => {
  const { grow, follow, followers } = setUp(t, { part: true })
  const first = follow(agent('first'), 0)
  await until(() => followers.position('feed') !== undefined, 'read')
  await grow(35)
  await until(() => first.numbers.length === 35, 'told')
  t.same(first.numbers, upTo(35))
  t.same(
    first.deliveries.map(({ more }) => more),
    [true, true, true, false]
  )
  const late = follow(agent('late'), 3)
  await until(() => late.numbers.length === 32, 'caught up')
  t.same(late.numbers, upTo(35, 3))
})

t.test('ends when the rights do, whether memory or only the database knows', async t => {
  const { grow, follow, revoked, forgotten, followers } = setUp(t)
  const [known, unknown, staying] = [
    follow(agent('a', token('known')), 0),
    follow(agent('b', token('unknown')), 0),
    follow(agent('c', token('staying')), 0)
  ]
  const expired = follow(agent('d', { token: { jti: 'e', expires_at: new Date(Date.now() + 300) } }), 0)
  await until(() => followers.position('feed') !== undefined, 'read')
  forgotten.add('unknown').add('staying')
  for (const jti of ['known', 'unknown']) revoked.add(jti)
  await grow(3)
  await until(() => staying.numbers.length === 3, 'whose rights are good is told')
  await until(() => [known, unknown, expired].every(({ ended }) => ended.length > 0), 'the others end')
  t.same([known.ended, unknown.ended, expired.ended], [['token_revoked'], ['token_revoked'], ['token_expired']])
  t.same([known.numbers, unknown.numbers], [[], []])
  t.equal(followers.counts().followers, 1)
})

t.test('ends when the feed is gone, and for those who come later too', async t => {
  const { grow, follow, state, events, topic, followers } = setUp(t)
  const told = follow(agent('a'), 0)
  await grow(1)
  await until(() => told.numbers.length === 1, 'told')
  state.gone = true
  events.publish([topic])
  await until(() => told.ended.length > 0, 'ended')
  const late = follow(agent('b'), 0)
  await until(() => late.ended.length > 0, 'ended')
  t.same([told.ended, late.ended], [['session_gone'], ['session_gone']])
  t.same(followers.counts(), { feeds: 0, followers: 0 })
})

t.test('ends when the replica stops, after the caller has what closes it', async t => {
  const { follow, stopping } = setUp(t)
  const told = follow(agent('a'), 0)
  stopping.abort()
  t.same(told.ended, ['stopping'])
  const late = follow(agent('b'), 0)
  t.same(late.ended, [])
  await until(() => late.ended.length > 0, 'ended')
  t.same(late.ended, ['stopping'])
  const closed = follow(agent('c'), 0)
  closed.following.close()
  await pause(10)
  t.same(closed.ended, [], 'who closed it is not told')
})

t.test('a reading that fails is tried again: nothing is missed or comes twice', async t => {
  const { grow, follow, state, faults } = setUp(t)
  await grow(25)
  const told = follow(agent('a'), 25)
  state.fails = true
  const late = follow(agent('c'), 5)
  await grow(10)
  await until(() => faults.length > 1, 'fails')
  state.fails = false
  await until(() => told.numbers.length === 10 && late.numbers.length === 30, 'told')
  t.same(told.numbers, upTo(35, 25))
  t.same(late.numbers, upTo(35, 5))
})

t.test('a follower that throws is left out, and the others are told', async t => {
  const { grow, follow, faults, followers } = setUp(t)
  follow(agent('a'), 0, {
    deliver() {
      throw new Error('a fault of the follower')
    }
  })
  const told = follow(agent('b'), 0)
  await until(() => followers.position('feed') !== undefined, 'read')
  await grow(1)
  await until(() => told.numbers.length === 1, 'told')
  t.match(faults, [{ message: 'a fault of the follower' }])
  t.equal(followers.counts().followers, 1)
})

t.test('the position outlives the last follower for a second, and is not given where it may be old', async t => {
  const { grow, follow, followers, reads } = setUp(t)
  const told = follow(agent('a'), 0)
  await grow(5)
  await until(() => told.numbers.length === 5, 'told')
  told.following.close()
  t.same(followers.counts(), { feeds: 0, followers: 0 })
  t.match(followers.position('feed'), { cursor: 5 })
  reads.length = 0
  const back = follow(agent('a'), 5)
  await pause(50)
  t.same(reads, [], 'who comes back needs no reading')
  back.following.close()
  await grow(1)
  await until(() => followers.position('feed') === undefined, 'it may have grown')
  const again = follow(agent('a'), 5)
  await until(() => again.numbers.length === 1, 'and what was missed is read')
  again.following.close()
  await until(() => followers.position('feed') === undefined, 'forgotten')
})

t.test('a hint with a version that has been read wakes nobody', async t => {
  const { grow, follow, events, topic, reads, followers } = setUp(t)
  follow(agent('a'), 0)
  await grow(3)
  await until(() => (followers.position('feed') as { cursor: number } | undefined)?.cursor === 3, 'read')
  reads.length = 0
  events.seen(new Map([[topic, '3']]))
  await pause(30)
  t.same(reads, [])
  await grow(1, null, false)
  events.seen(new Map([[topic, '4']]))
  await until(() => reads.length > 0, 'one that has not does')
  t.pass()
})

t.test('beyond the pace, what comes meanwhile is delivered together', async t => {
  const { grow, follow, followers } = setUp(t, { pace: createPace(10, 20, 1000) })
  const began = performance.now()
  const told = Array.from({ length: 20 }, (_, i) => follow(agent(`agent-${i}`), 0))
  const cheap = follow(agent('cheap'), 0, { deliveryCost: 0 })
  await until(() => followers.position('feed') !== undefined, 'read')
  for (let i = 0; i < 30; i++) {
    await grow(1)
    await pause(5)
  }
  await until(() => told.every(({ numbers }) => numbers.length === 30), 'all told')
  const seconds = (performance.now() - began) / 1000
  for (const { numbers } of [...told, cheap]) t.same(numbers, upTo(30))
  // Two at once, one a second, and whole pages, which no pause would make larger; one more for what clocks differ.
  const most = 3 + seconds + 30 / FEED_SIZE.most
  for (const { deliveries } of told)
    t.ok(deliveries.length <= most, `${deliveries.length} deliveries of 30 changes, at most ${most}`)
  t.equal(deliveryPace().pause_ms(), 0)
})

t.test('a stream is told of changes that come fast together, by fewer readings', async t => {
  const { grow, follow, reads, followers } = setUp(t)
  const told = follow(agent('a'), 0, { gathers: true })
  await until(() => followers.position('feed') !== undefined, 'read')
  reads.length = 0
  const began = performance.now()
  for (let i = 0; i < 80; i++) await grow(1)
  await until(() => told.numbers.length === 80, 'all are told')
  const seconds = (performance.now() - began) / 1000
  t.same(told.numbers, upTo(80))
  // Five at once, fifteen a second, and whole pages, which no pause would make larger.
  const most = 6 + 15 * seconds + 80 / FEED_SIZE.most
  t.ok(reads.length <= most, `${reads.length} readings, at most ${most}`)
})

t.test('a tick comes about once a second', async t => {
  const { follow } = setUp(t)
  let ticks = 0
  follow(agent('a'), 0, {
    tick: () => {
      ticks++
    }
  })
  await pause(2300)
  t.ok(ticks === 2 || ticks === 1, `${ticks}`)
})

t.test('snapshots of one server are in the order in which they were taken', async t => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))
  const taken: string[] = []
  const snapshot = async () => (await pool.query('select pg_current_snapshot()::text as now')).rows[0].now
  for (let round = 0; round < 5; round++) {
    for (const client of clients) {
      await client.query('begin')
      await client.query('select pg_current_xact_id()')
      taken.push(await snapshot())
    }
    for (const i of [2, 0, 3, 1]) {
      await clients[i]?.query('commit')
      taken.push(await snapshot())
    }
  }
  for (const client of clients) client.release()
  t.equal(new Set(taken).size > 20, true)
  for (const [i, one] of taken.entries())
    for (const [j, other] of taken.entries())
      if (one !== other && Math.sign(compareSnapshots(one, other)) !== Math.sign(i - j))
        t.fail(`${one} and ${other}, number ${i} and ${j}`)
  t.equal(compareSnapshots('5:9:6,7', '5:9:6,7'), 0)
})
