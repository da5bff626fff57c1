import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { PoolClient } from 'pg'
import t from 'tap'
import { decodeFeedCursor, encodeFeedCursor } from '../../src/feed/feed-cursor.js'
import { snapshotNow } from '../../src/feed/store/cursor-snapshots.js'
import { grown } from '../../src/feed/store/workspace-feed.js'
import { pagesOf } from '../../src/feed/follow-workspaces.js'
import { type As, listen, newSession, ok, startApp, type TestApp } from '../helper.js'
import { openStream, type StreamClient } from './stream-client.js'
import { until } from '../support/until.js'

/** The stream of all sessions, over sockets, on three replicas of one database. */

const app = await startApp(t)
const replicas = [app, await startApp(t, {}, app), await startApp(t, {}, app)]
const bases = await Promise.all(replicas.map(listen))
const on = (n: number) => replicas[n % 3] as TestApp
const base = (n: number) => bases[n % 3] as string
const { db, pool } = app.database

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'blue' }

async function write(replica: TestApp, session_id: string, visibility = 'public'): Promise<number> {
  return (await ok(replica, 'add_message', { session_id, content: 'message', visibility }, WRITER)).message_id
}

const sessions = (count: number) => Promise.all(Array.from({ length: count }, (_, n) => newSession(on(n), WRITER)))
const idsOf = (client: StreamClient) => client.changes().flatMap(({ data }) => data.message?.id ?? [])
const started = (client: StreamClient) => client.waitFor(events => events.length > 0)

/** Of every session each number once, and in order. */
function faultsOf(told: Array<{ session_id: string; seq: number }>): string[] {
  const last = new Map<string, number>()
  return told.flatMap(({ session_id, seq }) => {
    const before = last.get(session_id) ?? 0
    last.set(session_id, seq)
    return seq > before ? [] : [`${session_id}: ${seq} after ${before}`]
  })
}

t.test('a place survives being written as an id, and nothing else is one', async t => {
  const number = fc.bigInt({ min: 3n, max: 2n ** 62n })
  const snapshot = fc
    .tuple(number, fc.uniqueArray(fc.bigInt({ min: 0n, max: 5000n }), { maxLength: 200 }))
    .map(([from, open]) => {
      const sorted = open.sort((a, b) => (a < b ? -1 : 1)).map(distance => from + distance)
      return `${from}:${(sorted.at(-1) ?? from) + 1n}:${sorted.join(',')}`
    })
  fc.assert(
    fc.property(snapshot, snapshot, fc.nat(), (since, until, seq) => {
      for (const place of [{ since }, { since, part: { until, session_id: 'session_0123456789abcdef', seq } }]) {
        t.same(decodeFeedCursor('origin', encodeFeedCursor('origin', place)), place)
        if (decodeFeedCursor('another', encodeFeedCursor('origin', place)) !== undefined)
          throw new Error('taken for one of another database')
      }
    }),
    { numRuns: 50 }
  )
  // Whatever is taken for one, PostgreSQL takes for a snapshot too.
  const made = fc
    .array(fc.stringMatching(/^[0-9a-z]{1,3}$/), { minLength: 2, maxLength: 5 })
    .map(parts => parts.join('-'))
  const texts = fc
    .sample(made, 2000)
    .map(text => decodeFeedCursor('o', `o.${text}`)?.since)
    .filter(text => text !== undefined)
  t.ok(texts.length > 20, 'some are')
  await pool.query('select count(given::pg_snapshot) from unnest($1::text[]) given', [texts])
})

t.test('all sessions, from all replicas, with the rights of the reader', async t => {
  const ids = await sessions(5)
  const stranger = await openStream(base(1), '/mcp/events', STRANGER)
  const writer = await openStream(base(2), '/mcp/events', WRITER)
  await Promise.all([stranger, writer].map(started))
  t.match(stranger.events[0], { event: 'start', id: /^[0-9a-f]{6}\./ })
  const written = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => ({
      id: await write(on(n), ids[n % 5] as string, n % 4 === 0 ? 'private' : 'public'),
      hidden: n % 4 === 0
    }))
  )
  await ok(app, 'update_session', { session_id: ids[0], is_active: false }, WRITER)
  await Promise.all(
    [stranger, writer].map(client =>
      client.waitFor(() => client.changes().some(({ event }) => event === 'session_closed'))
    )
  )
  const visible = written.filter(({ hidden }) => !hidden)
  await until(() => idsOf(writer).length >= written.length, 'everything')
  await until(() => idsOf(stranger).length >= visible.length, 'everything that a stranger may see')
  const sorted = (list: number[]) => [...list].sort((a, b) => a - b)
  t.same(sorted(idsOf(writer)), sorted(written.map(({ id }) => id)))
  t.same(sorted(idsOf(stranger)), sorted(visible.map(({ id }) => id)))
  for (const client of [stranger, writer])
    t.same(faultsOf(client.changes().map(({ data }) => ({ session_id: data.session_id, seq: data.seq }))), [])
  t.same(new Set(stranger.changes().map(({ data }) => data.session_id)), new Set(ids), 'every change says where')

  // Shown, hidden, shown again: each told once, to whom it concerns.
  const [message] = written.filter(({ hidden }) => hidden)
  for (const visibility of ['public', 'private']) {
    await ok(on(1), 'set_message_visibility', { message_id: message?.id, visibility }, WRITER)
    const event = visibility === 'public' ? 'message_added' : 'message_hidden'
    await stranger.waitFor(events => events.at(-1)?.event === event)
  }
  t.equal(stranger.changes().filter(({ data }) => data.message?.id === message?.id).length, 1)
  stranger.close()
  writer.close()
})

t.test('a transaction that stays open holds up its own session and no other, and is told when it commits', async t => {
  const [slow, quick] = (await sessions(2)) as [string, string]
  const stream = await openStream(base(0), '/mcp/events', STRANGER)
  await started(stream)
  const client = await pool.connect()
  await client.query('begin')
  // As add_message has it, but for the commit.
  await client.query('update sessions set last_seq = last_seq + 1 where id = $1', [slow])
  await client.query(
    'insert into messages (session_id, seq, sender, sender_type, content, visibility) values ' +
      "($1, 1, 'writer', 'red', 'late', 'public')",
    [slow]
  )
  const first = [await write(on(1), quick), await write(on(2), quick)]
  await stream.waitFor(() => idsOf(stream).length === 2)
  t.same(idsOf(stream), first)
  stream.close()
  const resumed = await openStream(base(1), '/mcp/events', STRANGER, stream.lastId())
  await started(resumed)
  const third = await write(on(0), quick)
  await resumed.waitFor(() => idsOf(resumed).length === 1)
  t.same(idsOf(resumed), [third])
  await client.query('commit')
  client.release()
  await resumed.waitFor(() => idsOf(resumed).length === 2)
  t.match(resumed.changes().at(-1), { data: { session_id: slow, seq: 1, message: { content: 'late' } } })
  resumed.close()
})

t.test(
  'cut after every event and resumed on another replica, while others write: each exactly once',
  { timeout: 120_000 },
  async t => {
    const ids = await sessions(7)
    const first = await openStream(base(0), '/mcp/events', STRANGER)
    await started(first)
    let place = first.lastId() as string
    first.close()
    const written: number[] = []
    const writing = Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        for (let n = 0; n < 40; n++) {
          const id = await write(
            on(writer + n),
            ids[(writer * 3 + n) % 7] as string,
            n % 5 === 0 ? 'agent_only' : 'public'
          )
          if (n % 5 !== 0) written.push(id)
          if (n % 8 === 0) await sleep(5)
        }
      })
    )
    const told: Array<{ id: number; session_id: string; seq: number }> = []
    let finished = false
    void writing.then(() => {
      finished = true
    })
    for (let cut = 0; !finished || told.length < written.length; cut++) {
      const stream = await openStream(base(cut), '/mcp/events', STRANGER, place)
      const take = 1 + (cut % 3)
      await stream.waitFor(
        () => stream.changes().length >= take || (finished && told.length + stream.changes().length >= written.length)
      )
      stream.close()
      for (const { id, data } of stream.changes().slice(0, take)) {
        told.push({ id: data.message.id, session_id: data.session_id, seq: data.seq })
        place = id as string
      }
    }
    await writing
    t.same(
      told.map(({ id }) => id).sort((a, b) => a - b),
      written.sort((a, b) => a - b)
    )
    t.same(faultsOf(told), [])

    // From every single id, wherever it was cut: what follows is the rest.
    const whole = await openStream(base(0), '/mcp/events', STRANGER, first.lastId())
    await whole.waitFor(() => whole.changes().length >= written.length)
    whole.close()
    const order = whole.changes()
    t.same(
      idsOf(whole).sort((a, b) => a - b),
      written
    )
    for (let at = 0; at < order.length; at += 7) {
      const rest = await openStream(base(at), '/mcp/events', STRANGER, order[at]?.id)
      await rest.waitFor(() => rest.changes().length >= order.length - at - 1)
      t.same(
        idsOf(rest),
        order.slice(at + 1).map(({ data }) => data.message.id)
      )
      rest.close()
    }
  }
)

t.test('a long way behind: by pages, and still each once', async t => {
  const [one, two] = (await sessions(2)) as [string, string]
  const since = await snapshotNow(db, 'default')
  for (const session_id of [one, two]) {
    for (let n = 0; n < 5; n++)
      await ok(
        on(n),
        'add_messages',
        {
          session_id,
          messages: Array.from({ length: 99 }, (_, i) => ({
            content: `${i}`,
            visibility: i % 2 === 0 ? 'public' : 'private'
          }))
        },
        WRITER
      )
  }
  const now = await grown(db, 'default', since)
  t.same(
    now.sessions,
    [one, two].sort().map(session_id => ({ session_id, first: 1, last: 495 }))
  )
  t.same((await grown(db, 'default', now.until)).sessions, [])
  const pages = [...pagesOf(now.sessions)]
  t.ok(pages.length >= 4 && pages.every(page => page.reduce((sum, { after, until }) => sum + until - after, 0) <= 250))

  const first = await openStream(base(0), '/mcp/events', STRANGER)
  await started(first)
  first.close()
  const origin = (first.lastId() as string).split('.')[0] as string
  const stream = await openStream(base(1), '/mcp/events', STRANGER, encodeFeedCursor(origin, { since }))
  await stream.waitFor(() => stream.changes().length >= 500)
  t.equal(new Set(idsOf(stream)).size, 500)
  t.equal(stream.changes().length, 500)
  t.same(faultsOf(stream.changes().map(({ data }) => ({ session_id: data.session_id, seq: data.seq }))), [])
  stream.close()
})

t.test('what one transaction wrote is found whole, however much it is', async t => {
  const [one, two] = (await sessions(2)) as [string, string]
  const since = await snapshotNow(db, 'default')
  await pool.query(
    `
    insert into messages (session_id, seq, sender, sender_type, content, visibility)
    select case when n <= 15000 then $1 else $2 end,
      case when n <= 15000 then n else n - 15000 end, 'writer', 'red', 'x', 'private' from generate_series(1, 25000) n`,
    [one, two]
  )
  t.same(
    (await grown(db, 'default', since)).sessions,
    [
      { session_id: one, first: 1, last: 15000 },
      { session_id: two, first: 1, last: 10000 }
    ].sort((a, b) => (a.session_id < b.session_id ? -1 : 1))
  )
})

t.test('an id of an older release, which says something of later transactions, loses nothing', async () => {
  const first = await openStream(base(0), '/mcp/events', STRANGER)
  await started(first)
  first.close()
  const origin = (first.lastId() as string).split('.')[0] as string
  const session_id = await newSession(app, WRITER)
  const writer = await pool.connect()
  await writer.query('begin')
  await writer.query('select pg_current_xact_id()')
  for (let n = 0; n < 3; n++) await pool.query('select pg_current_xact_id()')
  const { rows } = await pool.query('select pg_current_snapshot()::text as since')
  await writer.query('update sessions set last_seq = 1 where id = $1', [session_id])
  await writer.query(
    `insert into messages (session_id, seq, sender, sender_type, content, visibility)
     values ($1, 1, 'writer', 'red', 'late', 'public')`,
    [session_id]
  )
  await writer.query('commit')
  writer.release()
  const stream = await openStream(base(1), '/mcp/events', STRANGER, encodeFeedCursor(origin, { since: rows[0].since }))
  await stream.waitFor(() => stream.changes().some(({ data }) => data.message?.content === 'late'))
  stream.close()
})

t.test('a place this database has not come to is refused', async t => {
  const first = await openStream(base(0), '/mcp/events', STRANGER)
  await started(first)
  first.close()
  const origin = (first.lastId() as string).split('.')[0] as string
  const [, highest = '0'] = (await snapshotNow(db, 'default')).split(':')
  const later = BigInt(highest) + 1_000_000n
  const stream = await openStream(
    base(0),
    '/mcp/events',
    STRANGER,
    encodeFeedCursor(origin, { since: `${later}:${later}:` })
  )
  await until(stream.closed, 'the answer')
  t.match([stream.status, stream.body()], [400, { code: 'INVALID_INPUT', context: { argument: 'Last-Event-ID' } }])
  const { until: now } = await grown(db, 'default', `${later}:${later}:`)
  t.ok(BigInt(now.split(':')[1] as string) < later, 'who followed when the database was set back goes on from now')
})

t.test(
  'what transactions wrote in whatever order they began and committed is told in the order of each session',
  async t => {
    // Against a model: readers who take a snapshot at any time and go on from it, by grown() alone.
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ session: fc.nat(2), read: fc.boolean(), open: fc.nat(3) }), {
          minLength: 1,
          maxLength: 25
        }),
        async steps => {
          const ids = await sessions(3)
          const heads = new Map<string, number>()
          const told: Array<{ session_id: string; seq: number }> = []
          let since = await snapshotNow(db, 'default')
          const open: Array<{ client: PoolClient; session_id: string }> = []
          const commit = async (which: number) => {
            const [one] = open.splice(which % open.length, 1)
            await one?.client.query('commit')
            one?.client.release()
          }
          const read = async () => {
            const { until, sessions } = await grown(db, 'default', since)
            for (const { session_id, first, last } of sessions)
              for (let seq = first; seq <= last; seq++) told.push({ session_id, seq })
            since = until
          }
          for (const { session, read: now, open: which } of steps) {
            const session_id = ids[session] as string
            // A number is given under the session's row lock: the one before has committed.
            while (open.some(one => one.session_id === session_id))
              await commit(open.findIndex(one => one.session_id === session_id))
            const client = await pool.connect()
            await client.query('begin')
            // Some have their transaction's number long before they get to the session.
            if (which === 0) await client.query('select pg_current_xact_id()')
            const {
              rows: [row]
            } = await client.query<{ last_seq: number }>(
              'update sessions set last_seq = last_seq + 1 where id = $1 returning last_seq',
              [session_id]
            )
            await client.query(
              'insert into messages (session_id, seq, sender, sender_type, content, visibility) values ' +
                "($1, $2, 'a', 'b', 'c', 'public')",
              [session_id, row?.last_seq]
            )
            heads.set(session_id, row?.last_seq ?? 0)
            open.push({ client, session_id })
            if (which > 1) await commit(which)
            if (now) await read()
          }
          while (open.length > 0) await commit(open.length)
          await read()
          const faults = faultsOf(told)
          if (faults.length > 0) throw new Error(faults.join('\n'))
          for (const [session_id, head] of heads) {
            const count = told.filter(one => one.session_id === session_id).length
            if (count !== head) throw new Error(`${session_id} has ${head}, told ${count}`)
          }
        }
      ),
      { numRuns: 25 }
    )
    t.pass()
  }
)

t.test('nothing is left of streams that have gone', async t => {
  await until(
    () => replicas.every(({ server, load }) => server.live.counts().followers === 0 && load.in_flight === 0),
    'all gone'
  )
  for (const { server } of replicas)
    t.match((await server.inject({ url: '/metrics' })).body, /^event_streams_open\{kind="workspace"\} 0$/m)
})
