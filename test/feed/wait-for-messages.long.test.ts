import { request as httpRequest } from 'node:http'
import t from 'tap'
import {
  ADMIN_API_KEY,
  type Answer,
  type As,
  call,
  credentials,
  listen,
  newSession,
  ok,
  startApp,
  type TestApp
} from '../helper.js'
import { callTool } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { token } from '../support/samples.js'
import { until } from '../support/until.js'

/**
 * wait_for_messages, over both fronts, with three replicas on one database: what is written on one wakes who waits on
 * another.
 */

const first = await startApp(t)
const replicas = [first, await startApp(t, {}, first), await startApp(t, {}, first)] as const
const [a, b, c] = replicas

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const PEER: As = { agent_id: 'peer', agent_type: 'red' }
const READER: As = { agent_id: 'reader', agent_type: 'blue' }
const ADMIN: As = { agent_id: 'boss', admin: true }

/** Long enough for any answer that is to come; those that are not to come have a short one. */
const LONG = 20

async function write(
  app: TestApp,
  session_id: string,
  content: string,
  visibility = 'public',
  as = WRITER
): Promise<number> {
  return (await ok(app, 'add_message', { session_id, content, visibility }, as)).message_id
}

async function waiting(app: TestApp, n: number): Promise<void> {
  await until(() => app.server.waiters.taken === n, `${n} waiting`)
}

/** Nothing is held for anybody who waited. */
async function nobodyWaits(): Promise<void> {
  for (const app of replicas) {
    const { live, waiters } = app.server
    await until(
      () => waiters.taken + live.counts().sessions + live.counts().followers + app.load.in_flight === 0,
      'all freed'
    )
  }
}

/** Begins to wait and returns when the waiting has begun. */
async function wait(app: TestApp, args: Record<string, unknown>, as = READER): Promise<{ answer: Promise<Answer> }> {
  const before = app.server.waiters.taken
  const answer = call(app, 'wait_for_messages', { timeout_seconds: LONG, ...args }, as)
  await waiting(app, before + 1)
  return { answer }
}

const contents = ({ body }: Answer): string[] => body.messages.map((message: any) => message.content)

t.afterEach(nobodyWaits)

t.test('returns at once what is there', async t => {
  const session_id = await newSession(a)
  for (const content of ['one', 'two', 'three']) await write(a, session_id, content)
  const answer = await call(b, 'wait_for_messages', { session_id, after_seq: 0, limit: 2 }, READER)
  t.same(contents(answer), ['one', 'two'])
  t.match(answer.body, { count: 2, last_seq: 2, has_more: true, timed_out: false, is_active: true })
  t.match((await call(c, 'wait_for_messages', { session_id, after_seq: 2 }, READER)).body, {
    count: 1,
    last_seq: 3,
    has_more: false,
    timed_out: false
  })
})

for (const [name, writer] of [
  ['the same', b],
  ['another', c]
] as const) {
  t.test(`is woken by a message written on ${name} replica`, async t => {
    const session_id = await newSession(a)
    await write(a, session_id, 'old')
    const { answer } = await wait(b, { session_id })
    await write(writer, session_id, 'new')
    const got = await answer
    t.same(contents(got), ['new'], 'without after_seq only what comes from now on')
    t.match(got.body, { last_seq: 2, timed_out: false })
  })
}

t.test('who comes back at once misses nothing that was written in between, and need not ask the database', async t => {
  const session_id = await newSession(a)
  let cursor = 0
  for (let i = 0; i < 10; i++) {
    const { answer } = await wait(b, { session_id, after_seq: cursor })
    await write(c, session_id, `first ${i}`)
    const got = await answer
    t.same(contents(got), [`first ${i}`])
    // While nobody waits: the next finds it there.
    if (i % 2 === 0) {
      await write(i % 4 === 0 ? c : b, session_id, `second ${i}`)
      const more = await call(
        b,
        'wait_for_messages',
        { session_id, after_seq: got.body.last_seq, timeout_seconds: LONG },
        READER
      )
      t.same(contents(more), [`second ${i}`])
      cursor = more.body.last_seq
    } else cursor = got.body.last_seq
  }
})

t.test('times out with the cursor', async t => {
  const session_id = await newSession(a)
  await write(a, session_id, 'old')
  const started = performance.now()
  const { body } = await call(b, 'wait_for_messages', { session_id, timeout_seconds: 0.3 }, READER)
  t.match(body, { success: true, messages: [], count: 0, last_seq: 1, timed_out: true, has_more: false })
  t.ok(performance.now() - started >= 290)
  t.match(
    (await call(b, 'wait_for_messages', { session_id, after_seq: 1, timeout_seconds: 0 }, READER)).body,
    { timed_out: true, last_seq: 1 },
    '0 only looks'
  )
  t.match(
    (await call(b, 'wait_for_messages', { session_id, after_seq: 999, timeout_seconds: 0 }, READER)).body,
    { timed_out: true, last_seq: 1 },
    'a cursor beyond the end is the end'
  )
})

t.test('what may not be seen wakes nobody, and moves the cursor', async t => {
  const session_id = await newSession(a)
  const [reader, peer, admin] = [
    await wait(b, { session_id, timeout_seconds: 8 }),
    await wait(b, { session_id }, PEER),
    await wait(c, { session_id }, ADMIN)
  ]
  await write(a, session_id, 'mine', 'private')
  t.same(contents(await admin.answer), ['mine'])
  await write(a, session_id, 'red', 'agent_only')
  const red = await peer.answer
  t.same(contents(red), ['red'])
  t.equal(red.body.last_seq, 2)
  const { body } = await reader.answer
  t.match(body, { timed_out: true, messages: [], last_seq: 2 })
  t.notMatch(JSON.stringify(body), /mine|red"/)
})

t.test('a message that is shown wakes those who newly see it, once; one that is hidden nobody', async t => {
  const session_id = await newSession(a)
  const id = await write(a, session_id, 'later', 'private')
  const { answer } = await wait(b, { session_id })
  await ok(c, 'set_message_visibility', { message_id: id, visibility: 'public' }, WRITER)
  const shown = await answer
  t.same(contents(shown), ['later'])
  t.match(shown.body, { last_seq: 2, messages: [{ seq: 1 }] })
  const again = await wait(b, { session_id, after_seq: 2, timeout_seconds: 8 })
  await ok(c, 'set_message_visibility', { message_id: id, visibility: 'private' }, WRITER)
  const { body } = await again.answer
  t.match(body, { timed_out: true, messages: [], last_seq: 3 })
  t.notMatch(JSON.stringify(body), 'later')
})

t.test('mentions_only and sender', async t => {
  const session_id = await newSession(a)
  await write(a, session_id, '@reader: early')
  t.same(contents(await call(b, 'wait_for_messages', { session_id, after_seq: 0, mentions_only: true }, READER)), [
    '@reader: early'
  ])
  t.match(
    (await call(b, 'wait_for_messages', { session_id, after_seq: 0, mentions_only: true, timeout_seconds: 0 }, PEER))
      .body,
    { timed_out: true, last_seq: 1 },
    'what does not match is accounted for'
  )
  const mentioned = await wait(b, { session_id, mentions_only: true })
  const from = await wait(c, { session_id, sender: 'peer' })
  await write(a, session_id, '@reader-2: not you')
  await write(a, session_id, 'by the peer', 'public', PEER)
  t.same(contents(await from.answer), ['by the peer'])
  await write(a, session_id, 'now @reader.')
  const { body } = await mentioned.answer
  t.match(body, { count: 1, messages: [{ content: 'now @reader.' }], last_seq: 4 })
})

t.test('a session that is closed ends the waiting, and nobody waits for one that is closed already', async t => {
  const session_id = await newSession(a, WRITER)
  const { answer } = await wait(b, { session_id })
  await ok(c, 'update_session', { session_id, purpose: 'another' }, WRITER)
  await ok(c, 'update_session', { session_id, is_active: false }, WRITER)
  t.match((await answer).body, { success: true, messages: [], timed_out: false, is_active: false, last_seq: 2 })
  const closed = { success: true, messages: [], count: 0, timed_out: false, has_more: false, is_active: false }
  for (const args of [{}, { after_seq: 2 }, { after_seq: 1 }, { sender: 'x' }, { mentions_only: true }]) {
    for (const app of [b, c]) {
      const began = performance.now()
      const { body } = await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG, ...args }, READER)
      t.match(body, { ...closed, last_seq: 2 }, JSON.stringify(args))
      t.ok(performance.now() - began < (LONG * 1000) / 2, 'at once')
    }
  }
  await ok(c, 'update_session', { session_id, is_active: true }, WRITER)
  const { answer: reopened } = await wait(b, { session_id, after_seq: 2 })
  await write(c, session_id, 'on we go')
  t.match((await reopened).body, { count: 1, is_active: true })
  await ok(c, 'update_session', { session_id, is_active: false }, WRITER)
  const told = { count: 1, messages: [{ content: 'on we go' }], timed_out: false }
  const last = { session_id, after_seq: 2, timeout_seconds: LONG }
  t.match((await call(c, 'wait_for_messages', last, READER)).body, { ...told, is_active: false, last_seq: 5 })
  // Where others followed it, the hint that it was closed may still be under way: the next call tells it.
  const { body } = await call(b, 'wait_for_messages', last, READER)
  t.match(body, told)
  const next = body.is_active
    ? (await call(b, 'wait_for_messages', { ...last, after_seq: body.last_seq }, READER)).body
    : body
  t.match(next, { is_active: false, timed_out: false, last_seq: 5 })
})

t.test('a token that is revoked ends the waiting, on another replica', async t => {
  const session_id = await newSession(a)
  const text = await token(a, 'revoked-one')
  const { answer } = await wait(b, { session_id }, { token: text })
  const revoked_at = performance.now()
  await ok(c, 'revoke_token', { token: text }, { token: text })
  isFailure(t, await answer, 'TOKEN_REVOKED')
  t.ok(performance.now() - revoked_at < LONG * 500, 'long before its time is up')
})

t.test('what is written after a token was revoked is not handed out', async t => {
  const session_id = await newSession(a)
  const text = await token(a, 'revoked-two')
  const { answer } = await wait(b, { session_id }, { token: text })
  await ok(
    a,
    'revoke_token',
    { agent_id: 'revoked-two' },
    {
      token: (
        await ok(
          a,
          'authenticate_agent',
          { agent_id: 'boss', agent_type: 'x', requested_permissions: ['admin'] },
          { anonymous: true, headers: { 'x-api-key': ADMIN_API_KEY } }
        )
      ).token
    }
  )
  await until(async () => await b.server.verifiers.tokens.revoked(tokenId(text)), 'known')
  await write(c, session_id, 'too late')
  const got = await answer
  isFailure(t, got, 'TOKEN_REVOKED')
  t.notMatch(JSON.stringify(got.body), 'too late')
})

t.test('a token that expires ends the waiting', async t => {
  const short = await startApp(t, { JWT_EXPIRES_IN: '5' }, first)
  const session_id = await newSession(a)
  const { answer } = await wait(short, { session_id }, { token: await token(short, 'expiring') })
  isFailure(t, await answer, 'TOKEN_EXPIRED')
})

t.test('over MCP, of both eras', async t => {
  for (const era of ['legacy', 'modern'] as const) {
    const session_id = await newSession(a)
    const answer = callTool(b, era, 'wait_for_messages', { session_id, timeout_seconds: LONG }, credentials(READER))
    await waiting(b, 1)
    await write(c, session_id, 'hello')
    const { structuredContent, isError } = await answer
    t.match(structuredContent, { success: true, count: 1, messages: [{ content: 'hello' }], timed_out: false }, era)
    t.equal(isError, undefined)
    const long = await callTool(b, era, 'wait_for_messages', { session_id, timeout_seconds: 26 }, credentials(READER))
    t.match(
      long.said,
      { success: false, code: 'INVALID_INPUT', context: { argument: 'timeout_seconds', allowed: /25/ } },
      'the most over MCP is told'
    )
  }
  isFailure(
    t,
    await call(a, 'wait_for_messages', { session_id: await newSession(a), timeout_seconds: 61 }),
    'INVALID_INPUT'
  )
})

t.test('may wait longer than a request may work', async t => {
  const app = await startApp(t, { REQUEST_TIMEOUT_MS: '300' }, first)
  const { status, body } = await call(app, 'wait_for_messages', { session_id: await newSession(a), timeout_seconds: 1 })
  t.equal(status, 200)
  t.match(body, { timed_out: true })
})

t.test('those who wait are not in flight, and have limits of their own', async t => {
  const app = await startApp(t, { MAX_IN_FLIGHT: '2', WAITERS_MAX: '3', WAITERS_PER_AGENT_MAX: '2' }, first)
  const session_id = await newSession(a)
  const waits = [await wait(app, { session_id }), await wait(app, { session_id })]
  t.equal(app.load.in_flight, 0)
  const mine = await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, READER)
  isFailure(t, mine, 'RATE_LIMITED')
  t.match(mine.headers, { 'retry-after': /\d/ })
  waits.push(await wait(app, { session_id }, PEER))
  isFailure(
    t,
    await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, WRITER),
    'SERVICE_UNAVAILABLE'
  )
  await write(app, session_id, 'all of you')
  for (const { answer } of waits) t.same(contents(await answer), ['all of you'])
  await until(() => app.load.in_flight === 0 && app.server.waiters.taken === 0, 'all freed')
  const { body } = await app.server.inject({ url: '/metrics' })
  t.match(body, /^waiters 0$/m)
  t.match(body, /^event_hints_mode\{mode="listen"\} 1$/m)
})

t.test('one key and one workspace leave slots to others', async t => {
  const app = await startApp(t, { WAITERS_MAX: '4' }, first)
  const session_id = await newSession(a)
  const { api_key: key } = await ok(a, 'create_api_key', { agent_id: 'tenant-*', agent_type: 'any' }, ADMIN)
  const withKey = (n: number): As => ({ agent_id: `tenant-${n}`, headers: { 'x-api-key': key as string } })
  const waits = [await wait(app, { session_id }, withKey(1)), await wait(app, { session_id }, withKey(2))]
  const third = await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, withKey(3))
  isFailure(t, third, 'RATE_LIMITED')
  t.match(third.body, { error: /API key/, context: { limit: 2 } })
  waits.push(await wait(app, { session_id }))
  const fourth = await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, PEER)
  isFailure(t, fourth, 'RATE_LIMITED')
  t.match(fourth.body, { error: /workspace/, context: { limit: 3 } })
  await write(app, session_id, 'all of you')
  for (const { answer } of waits) t.same(contents(await answer), ['all of you'])
})

t.test('holds no database connection while it waits', async t => {
  const app = await startApp(t, { DATABASE_POOL_MAX: '2' }, first)
  const session_id = await newSession(a)
  const waits = await Promise.all(
    Array.from({ length: 20 }, () => call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, READER)).map(
      async answer => ({ answer })
    )
  )
  await waiting(app, 20)
  await until(() => app.database.pool.idleCount === app.database.pool.totalCount, 'all connections free')
  t.equal((await call(app, 'get_messages', { session_id }, READER)).status, 200)
  await write(app, session_id, 'all')
  for (const { answer } of waits) t.same(contents(await answer), ['all'])
})

t.test('a client that goes away frees everything', async t => {
  const app = await startApp(t, {}, first)
  const url = new URL(await listen(app))
  const session_id = await newSession(a)
  for (const [path, body, headers] of [
    ['/mcp/tool/wait_for_messages', { session_id, timeout_seconds: LONG }, {}],
    [
      '/mcp',
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'wait_for_messages', arguments: { session_id, timeout_seconds: LONG } }
      },
      { accept: 'application/json, text/event-stream' }
    ]
  ] as const) {
    const request = httpRequest({
      host: url.hostname,
      port: url.port,
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers, ...credentials(READER) }
    })
    request.on('error', () => {})
    const gone = new Promise(resolve => {
      request.once('close', resolve)
    })
    request.end(JSON.stringify(body))
    await waiting(app, 1)
    t.same(app.server.live.counts(), { sessions: 1, followers: 1 })
    request.destroy()
    await gone
    await waiting(app, 0)
    t.same(app.server.live.counts(), { sessions: 0, followers: 0 }, path)
    await until(() => app.load.in_flight === 0, 'nothing in flight')
  }
})

t.test('a replica that stops answers those who wait, who go on elsewhere', async t => {
  const app = await startApp(t, {}, first)
  const session_id = await newSession(a)
  const { answer } = await wait(app, { session_id })
  app.stop()
  const { status, body } = await answer
  t.equal(status, 200)
  t.match(body, { timed_out: true, last_seq: 0, messages: [] })
  await write(a, session_id, 'meanwhile')
  t.match((await call(b, 'wait_for_messages', { session_id, after_seq: body.last_seq }, READER)).body, { count: 1 })
  t.match(
    (await call(app, 'wait_for_messages', { session_id, timeout_seconds: LONG }, READER)).body,
    { timed_out: true },
    'who asks a replica that stops does not wait'
  )
})

t.test('nothing is skipped and nothing comes twice while many write, on all replicas', async t => {
  const session_id = await newSession(a)
  const ids: number[] = []
  let writing = true
  let end = Infinity
  const writers = Promise.all(
    replicas.map(async (app, n) => {
      for (let i = 0; i < 40; i++) {
        const id = await write(app, session_id, `${n} ${i}`, i % 4 === 0 ? 'private' : 'public')
        // Half of the private ones are shown later, so that they come at that change.
        if (i % 8 === 0) await ok(app, 'set_message_visibility', { message_id: id, visibility: 'public' }, WRITER)
        if (i % 4 !== 0 || i % 8 === 0) ids.push(id)
      }
    })
  ).finally(() => {
    writing = false
    end = performance.now() + 20_000
  })
  const readers = Promise.all(
    Array.from({ length: 6 }, async (_, n) => {
      const got: number[] = []
      // A time that is up says nothing of what was written last.
      const isMissing = () => got.length < ids.length && performance.now() < end
      for (let cursor = 0, more = true; writing || more || isMissing();) {
        const { messages, last_seq, timed_out } = await ok(
          replicas[n % 3] as TestApp,
          'wait_for_messages',
          { session_id, after_seq: cursor, timeout_seconds: 1, limit: 7 },
          { agent_id: `reader-${n}`, agent_type: 'blue' }
        )
        got.push(...messages.map((message: any) => message.id))
        t.ok(last_seq >= cursor, 'the cursor never goes back')
        cursor = last_seq
        more = !timed_out
      }
      return got
    })
  )
  await writers
  for (const got of await readers) {
    t.equal(new Set(got).size, got.length, 'nothing twice')
    t.same(
      [...got].sort((x, y) => x - y),
      [...ids].sort((x, y) => x - y),
      'everything'
    )
  }
})

function tokenId(text: string): string {
  return (JSON.parse(Buffer.from(text.split('.')[1] as string, 'base64url').toString()) as { jti: string }).jti
}
