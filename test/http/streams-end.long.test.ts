import t, { type Test } from 'tap'
import { type As, call, listen, newSession, ok, startApp, type TestApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { openStream, type StreamClient } from './stream-client.js'
import { until } from '../support/until.js'

/** How streams end, what they may cost, and that a client which comes back has missed nothing. */

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const READER: As = { agent_id: 'reader', agent_type: 'blue' }
const address = (session_id: string) => `/mcp/sessions/${session_id}/events`
const write = async (on: TestApp, session_id: string, content = 'message', visibility = 'public') =>
  (await ok(on, 'add_message', { session_id, content, visibility }, WRITER)).message_id as number
const tokenOf = async (on: TestApp, agent_id: string) =>
  (await ok(on, 'authenticate_agent', { agent_id, agent_type: 'blue' })).token as string
const idsOf = (client: StreamClient) => client.changes().flatMap(({ data }) => data.message?.id ?? [])

async function openCount(on: TestApp): Promise<number> {
  const { body } = await on.server.inject({ url: '/metrics' })
  return [...body.matchAll(/^event_streams_open\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function both(
  t: Test,
  app: TestApp,
  base: string,
  as: As
): Promise<{ session_id: string; streams: StreamClient[] }> {
  const session_id = await newSession(app, WRITER)
  const streams = await Promise.all([address(session_id), '/mcp/events'].map(path => openStream(base, path, as)))
  t.teardown(() => {
    for (const stream of streams) stream.close()
  })
  for (const stream of streams) await stream.waitFor(events => events.length > 0)
  const first = await write(app, session_id)
  for (const stream of streams) await stream.waitFor(() => idsOf(stream).includes(first))
  return { session_id, streams }
}

// Two at a time: the first waits for heartbeats while the others go on.
t.jobs = 2

t.test(
  'a stream that has nothing to tell shows that it is alive, and where it stands',
  { timeout: 120_000 },
  async t => {
    const [app, silent] = await Promise.all([startApp(t), startApp(t)])
    const base = await listen(app)
    const [{ session_id, streams }, { streams: untold }] = await Promise.all([
      both(t, app, base, READER),
      both(t, silent, await listen(silent), READER)
    ])
    await write(app, session_id, 'not for this reader', 'private')
    for (const stream of streams) {
      await until(() => stream.events.at(-1)?.event === 'position', 'a position', 45_000)
      t.match(stream.events.at(-1), { id: /./, data: {} })
      t.notOk(stream.text().includes('not for'))
    }
    for (const stream of untold) {
      await until(() => stream.comments() > 0, 'a comment', 45_000)
      t.notOk(
        stream.events.some(({ event }) => event === 'position'),
        'where nothing has moved'
      )
    }
    const id = await write(app, session_id)
    for (const [i, path] of [address(session_id), '/mcp/events'].entries()) {
      await streams[i]?.waitFor(() => idsOf(streams[i] as StreamClient).includes(id))
      const stream = await openStream(
        base,
        path,
        READER,
        streams[i]?.events.findLast(({ event }) => event === 'position')?.id
      )
      await stream.waitFor(() => stream.changes().length > 0)
      t.same(idsOf(stream), [id])
      stream.close()
    }
  }
)

t.test('a revoked token ends its streams on every replica, and nothing is told after', async t => {
  const app = await startApp(t)
  const other = await startApp(t, {}, app)
  const token = await tokenOf(app, 'reader')
  const { session_id, streams } = await both(t, app, await listen(other), { token })
  await ok(app, 'revoke_token', {}, { token })
  await Promise.all(streams.map(stream => until(stream.closed, 'the end')))
  await write(app, session_id)
  for (const stream of streams) {
    t.match(stream.events.at(-1), { event: 'end', data: { reason: 'token_revoked', resume: false } })
    t.equal(idsOf(stream).length, 1)
  }
  t.match(await openStream(await listenOf(other), '/mcp/events', { token }, streams[1]?.lastId()), { status: 401 })
  await until(async () => (await openCount(other)) === 0, 'nothing left')
})

const listenOf = async (app: TestApp) => {
  const at = app.server.server.address() as { port: number }
  return `http://127.0.0.1:${at.port}`
}

t.test('a token that expires ends its streams', async t => {
  const app = await startApp(t, { JWT_EXPIRES_IN: '8' })
  const { streams } = await both(t, app, await listen(app), { token: await tokenOf(app, 'reader') })
  await Promise.all(streams.map(stream => until(stream.closed, 'the end')))
  for (const stream of streams)
    t.match(stream.events.at(-1), { event: 'end', data: { reason: 'token_expired', resume: false } })
})

t.test('what was narrowed meanwhile is not told to one who comes back, and what is widened is', async t => {
  const app = await startApp(t)
  const base = await listen(app)
  const { session_id, streams } = await both(t, app, base, READER)
  for (const stream of streams) stream.close()
  const [hidden, shown] = [
    await write(app, session_id, 'a secret by now'),
    await write(app, session_id, 'for all by now', 'private')
  ]
  await ok(app, 'set_message_visibility', { message_id: hidden, visibility: 'private' }, WRITER)
  await ok(app, 'set_message_visibility', { message_id: shown, visibility: 'public' }, WRITER)
  const last = await write(app, session_id)
  for (const [i, path] of [address(session_id), '/mcp/events'].entries()) {
    const stream = await openStream(base, path, READER, streams[i]?.lastId())
    await stream.waitFor(() => idsOf(stream).includes(last))
    t.same(idsOf(stream), [shown, last])
    t.notOk(stream.text().includes('a secret by now'))
    stream.close()
  }
})

t.test('a replica that stops sends its clients elsewhere, where they miss nothing', async t => {
  const app = await startApp(t)
  const other = await startApp(t, {}, app)
  const [here, there] = [await listen(app), await listen(other)]
  const { session_id, streams } = await both(t, app, here, READER)
  app.stop()
  await Promise.all(streams.map(stream => until(stream.closed, 'the end')))
  const again = await write(other, session_id)
  for (const [i, path] of [address(session_id), '/mcp/events'].entries()) {
    t.match(streams[i]?.events.at(-1), { event: 'end', data: { reason: 'stopping', resume: true } })
    const refused = await openStream(here, path, READER)
    await until(refused.closed, 'the answer')
    isFailure(t, { status: refused.status, headers: refused.headers, body: refused.body() }, 'SERVICE_UNAVAILABLE')
    const stream = await openStream(there, path, READER, streams[i]?.lastId())
    await stream.waitFor(() => stream.changes().length > 0)
    t.same(idsOf(stream), [again])
    stream.close()
  }
  await app.server.close()
  t.pass('and it closes')
})

t.test('a server that is closed with streams open ends them and closes', async t => {
  const app = await startApp(t)
  const { streams } = await both(t, app, await listen(app), READER)
  await app.server.close()
  await Promise.all(streams.map(stream => until(stream.closed, 'the end')))
  for (const stream of streams) t.match(stream.events.at(-1), { event: 'end', data: { reason: 'stopping' } })
})

t.test(
  'a reader that does not read is cut off, and misses nothing when it comes back',
  { timeout: 120_000 },
  async t => {
    const app = await startApp(t)
    const base = await listen(app)
    const { session_id, streams } = await both(t, app, base, READER)
    for (const stream of streams) stream.pause()
    const written: number[] = []
    for (let n = 0; n < 400 && (await openCount(app)) > 0; n++)
      written.push(await write(app, session_id, `${n} ${'x'.repeat(99_000)}`))
    t.ok(written.length < 400, 'not all of it was kept for them')
    t.equal(await openCount(app), 0)
    for (const [i, path] of [address(session_id), '/mcp/events'].entries()) {
      const stream = streams[i] as StreamClient
      stream.resume()
      await until(stream.closed, 'the end')
      t.same(
        stream.events.filter(({ event }) => event === 'end').map(({ data }) => data),
        stream.events.some(({ event }) => event === 'end') ? [{ reason: 'slow_reader', resume: true }] : []
      )
      const rest = await openStream(base, path, READER, stream.lastId())
      await rest.waitFor(() => idsOf(rest).includes(written.at(-1)))
      t.same([...idsOf(stream).slice(1), ...idsOf(rest)], written)
      rest.close()
    }
  }
)

t.test('so many streams an agent, so many a replica; they are not requests in flight', async t => {
  const app = await startApp(t, { STREAMS_PER_AGENT_MAX: '2', STREAMS_MAX: '3', MAX_IN_FLIGHT: '1' })
  const base = await listen(app)
  const session_id = await newSession(app, WRITER)
  const open = (as: As) => openStream(base, address(session_id), as)
  const mine = [await open(READER), await openStream(base, '/mcp/events', READER)]
  t.same(
    mine.map(({ status }) => status),
    [200, 200]
  )
  const third = await open(READER)
  await until(third.closed, 'the answer')
  isFailure(t, { status: third.status, headers: third.headers, body: third.body() }, 'RATE_LIMITED')
  t.ok(third.body().retry_after >= 1 && third.headers['retry-after'] !== undefined)
  const others = await open({ agent_id: 'another' })
  t.equal(others.status, 200)
  const fourth = await open({ agent_id: 'one more' })
  await until(fourth.closed, 'the answer')
  isFailure(t, { status: fourth.status, headers: fourth.headers, body: fourth.body() }, 'SERVICE_UNAVAILABLE')
  t.match(await call(app, 'get_session', { session_id }, WRITER), { status: 200 })
  for (const stream of mine) stream.close()
  await until(async () => (await openCount(app)) === 1, 'places given back')
  // What is refused gives its place back.
  for (let n = 0; n < 5; n++) t.equal((await openStream(base, address('session_0000000000000000'), READER)).status, 404)
  const again = [await open(READER), await open(READER)]
  t.same(
    again.map(({ status }) => status),
    [200, 200]
  )
  for (const stream of [...again, others]) stream.close()
})

t.test('streams outlast the loss of every database connection', async t => {
  const app = await startApp(t)
  const { session_id, streams } = await both(t, app, await listen(app), READER)
  const { rowCount } = await app.database.pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = ' +
      'current_database() and pid <> pg_backend_pid()'
  )
  t.ok(rowCount)
  const written: number[] = []
  while (written.length < 20) {
    const { status, body } = await call(app, 'add_message', { session_id, content: 'x' }, WRITER)
    if (status === 200) written.push(body.message_id)
  }
  for (const stream of streams) {
    await stream.waitFor(() => idsOf(stream).includes(written.at(-1)))
    t.same(idsOf(stream).slice(1), written)
  }
})
