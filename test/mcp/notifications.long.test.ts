import { setTimeout as sleep } from 'node:timers/promises'
import { type Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { ADMIN_API_KEY, API_KEY, listen, newSession, ok, startApp } from '../helper.js'
import { createDatabase } from '../support/cluster.js'
import { token } from '../support/samples.js'
import { boundKey } from './bound-key.js'
import { callTool, connectLegacy, eventually, openSession, request, type Headers } from './clients.js'

/** The notification stream of 2025-era clients: three replicas on one database, real sockets. */

const database = await createDatabase()
t.teardown(() => database.drop())
const apps = await Promise.all([1, 2, 3].map(async () => startApp(t, {}, { url: database.url })))
const [here, there, elsewhere] = apps as [(typeof apps)[0], (typeof apps)[0], (typeof apps)[0]]
const bases = await Promise.all(apps.map(async app => listen(app)))
const AS = (agent_id: string): Headers => ({ 'x-api-key': API_KEY, 'x-agent-id': agent_id })

interface Stream {
  status: number
  headers: globalThis.Headers
  told: string[]
  comments: string[]
  ended: Promise<void>
  open: () => boolean
  close: () => void
}

/** GET /mcp, read as it comes. */
async function stream(t: Test, replica: number, headers: Headers): Promise<Stream> {
  const aborter = new AbortController()
  t.teardown(() => {
    aborter.abort()
  })
  const response = await fetch(`${bases[replica] as string}/mcp`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: aborter.signal
  })
  const told: string[] = []
  const comments: string[] = []
  let open = true
  const ended = (async () => {
    let text = ''
    try {
      for await (const chunk of response.body?.pipeThrough(
        new TextDecoderStream() as never
      ) as unknown as AsyncIterable<string>) {
        text += chunk
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const frame = text.slice(0, end)
          text = text.slice(end + 2)
          if (frame.startsWith(':')) comments.push(frame.slice(2))
          else {
            const { method, params } = JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] as string) as {
              method: string
              params: { uri: string }
            }
            t.equal(method, 'notifications/resources/updated')
            told.push(params.uri)
          }
        }
      }
    } catch {
      // Cut.
    }
    open = false
  })()
  return {
    status: response.status,
    headers: response.headers,
    told,
    comments,
    ended,
    open: () => open,
    close: () => {
      aborter.abort()
    }
  }
}

const subscribe = async (app: typeof here, session: Headers, uri: string) =>
  request(app, 'legacy', 'resources/subscribe', { uri }, session)
const unsubscribe = async (app: typeof here, session: Headers, uri: string) =>
  request(app, 'legacy', 'resources/unsubscribe', { uri }, session)
/** Until the stream has been told so many times. */
const told = async ({ told }: Stream, count: number) =>
  eventually(
    async () => [...told],
    all => all.length >= count
  )
/** Long enough for a notification that must not come. */
const quiet = async () =>
  new Promise(resolve => {
    setTimeout(resolve, 1500)
  })
/**
 * A stream of a session that has subscribed already, once it has told of each. What is subscribed to while a stream
 * opens is told once or not at all, whichever comes first; from here on there is one for each change.
 */
async function settled(t: Test, replica: number, headers: Headers, subscriptions: number): Promise<Stream> {
  const opened = await stream(t, replica, headers)
  await told(opened, subscriptions)
  return opened
}
/** What is told when that is done, of a stream that has nothing left to tell. */
async function toldBy({ told }: Stream, change: () => Promise<unknown>): Promise<string[]> {
  for (let before = -1; before !== told.length;) {
    before = told.length
    await new Promise(resolve => {
      setTimeout(resolve, 300)
    })
  }
  const before = told.length
  await change()
  return eventually(
    async () => told.slice(before),
    all => all.length > 0
  )
}

// Most of them wait most of the time.
t.jobs = 4

t.test('a change on any replica is told on the stream of another, to those who may see it', async t => {
  const session_id = await newSession(here)
  const uri = `session://${session_id}`
  const session = { ...(await openSession(here)), ...AS('listener') }
  t.match(await subscribe(there, session, uri), { status: 200, body: { result: {} } })
  t.match(await subscribe(elsewhere, session, `${uri}/messages/5`), { status: 200, body: { result: {} } })
  const open = await settled(t, 0, session, 2)
  t.equal(open.status, 200)
  t.match(open.headers.get('content-type'), /^text\/event-stream/)
  await ok(elsewhere, 'add_message', { session_id, content: 'hello' })
  t.same((await told(open, 4)).slice(2).sort(), [uri, `${uri}/messages/5`])

  await ok(there, 'add_message', { session_id, content: 'not yours', visibility: 'private' }, { agent_id: 'another' })
  await ok(
    there,
    'add_message',
    { session_id, content: 'not yours either', visibility: 'admin_only' },
    { admin: true, agent_id: 'an-admin' }
  )
  await quiet()
  t.equal(open.told.length, 4, 'nothing of what it may not see')

  const { message_id } = await ok(
    there,
    'add_message',
    { session_id, content: 'shown later', visibility: 'private' },
    { agent_id: 'another' }
  )
  await ok(here, 'set_message_visibility', { message_id, visibility: 'public' }, { agent_id: 'another' })
  t.same((await told(open, 6)).slice(4).sort(), [uri, `${uri}/messages/5`])
  await ok(here, 'update_session', { session_id, purpose: 'another purpose' })
  t.same((await told(open, 8)).slice(6).sort(), [uri, `${uri}/messages/5`])

  t.match(await unsubscribe(elsewhere, session, `${uri}/messages/5`), { status: 200, body: { result: {} } })
  await quiet()
  const before = open.told.length
  await ok(there, 'add_message', { session_id, content: 'more' })
  await told(open, before + 1)
  await quiet()
  t.same(open.told.slice(before), [uri], 'one of the two is left')
})

t.test('what is subscribed to while a stream is open is told on it, from any replica', async t => {
  const session_id = await newSession(here)
  const uri = `session://${session_id}`
  const session = { ...(await openSession(here)), ...AS('subscriber') }
  const open = await stream(t, 0, session)
  await subscribe(there, session, uri)
  t.same(await toldBy(open, () => ok(elsewhere, 'add_message', { session_id, content: 'hello' })), [uri])
  await subscribe(elsewhere, session, `${uri}/messages/5`)
  t.same((await toldBy(open, () => ok(there, 'add_message', { session_id, content: 'hello' }))).sort(), [
    uri,
    `${uri}/messages/5`
  ])
})

t.test('many changes at once are one notification, or a few', async t => {
  const session_id = await newSession(here)
  const session = { ...(await openSession(here)), ...AS('listener') }
  const open = await stream(t, 1, session)
  await subscribe(here, session, `session://${session_id}`)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) =>
      ok(apps[i % 3] as typeof here, 'add_message', { session_id, content: `message ${i}` })
    )
  )
  let last_at = performance.now()
  for (let seen = 0; performance.now() - last_at < 1500 || seen === 0; await sleep(10)) {
    if (open.told.length === seen) continue
    seen = open.told.length
    last_at = performance.now()
  }
  const took_ms = last_at - began
  t.comment(`${open.told.length} notifications of 50 changes in ${Math.round(took_ms)} ms`)
  t.ok(open.told.length <= 3 + took_ms / 100, 'at most one in 100 ms, and those at the ends')
})

t.test("one's own memory", async t => {
  const session = { ...(await openSession(here)), ...AS('rememberer') }
  const uri = 'agent://rememberer/memory'
  t.match(await subscribe(here, session, uri), { body: { result: {} } })
  t.match(await subscribe(here, session, 'agent://another/memory'), {
    body: { error: { code: -32002, data: { code: 'TOOL_NOT_FOUND' } } }
  })
  const open = await settled(t, 2, session, 1)
  await ok(there, 'set_memory', { key: 'k', value: 1 }, { agent_id: 'rememberer' })
  t.same(await told(open, 2), [uri, uri])
  await ok(here, 'delete_memory', { key: 'k' }, { agent_id: 'rememberer' })
  t.same(await told(open, 3), [uri, uri, uri])
  await ok(here, 'set_memory', { key: 'k', value: 1 }, { agent_id: 'another' })
  await quiet()
  t.equal(open.told.length, 3)
})

t.test('a stream that opens is told of every subscribed resource once, wherever it opens', async t => {
  const session_id = await newSession(here)
  const uris = [`session://${session_id}`, 'agent://returning/memory'].sort()
  const session = { ...(await openSession(here)), ...AS('returning') }
  for (const uri of uris) await subscribe(here, session, uri)
  const first = await stream(t, 0, session)
  t.same((await told(first, 2)).sort(), uris)
  first.close()
  await ok(here, 'add_message', { session_id, content: 'missed' })
  const second = await stream(t, 1, { ...session, 'last-event-id': 'whatever' })
  t.same((await told(second, 2)).sort(), uris)
  await quiet()
  t.equal(second.told.length, 2)
  await ok(here, 'add_message', { session_id, content: 'heard' })
  t.equal((await told(second, 3)).length, 3)
})

t.test('of two streams of one session the later one delivers; the other takes over', async t => {
  const session_id = await newSession(here)
  const uri = `session://${session_id}`
  const session = { ...(await openSession(here)), ...AS('twice') }
  await subscribe(here, session, uri)
  const first = await settled(t, 0, session, 1)
  const second = await settled(t, 1, session, 1)
  const once = async () => {
    const before = first.told.length
    t.same(await toldBy(second, () => ok(here, 'add_message', { session_id, content: 'once' })), [uri])
    await quiet()
    return first.told.length === before
  }
  // Until the first has heard of the second both may tell.
  await eventually(once, yes => yes)
  t.ok(await once(), 'nothing is told twice')
  t.ok(first.open(), 'and it is not ended, for its client would open it again')
  const before = first.told.length
  second.close()
  await told(first, before + 1)
  t.same(await toldBy(first, () => ok(there, 'add_message', { session_id, content: 'again' })), [uri])
})

t.test('who authenticates on one replica is heard on the stream of another', async t => {
  const session_id = await newSession(here)
  const session = await openSession(here)
  const open = await stream(t, 0, session)
  t.equal(open.status, 200, 'before it has authenticated')
  t.match(await subscribe(there, session, `session://${session_id}`), {
    body: { error: { data: { code: 'AUTHENTICATION_REQUIRED' } } }
  })
  await callTool(
    there,
    'legacy',
    'authenticate_agent',
    { agent_id: 'late', agent_type: 'custom', api_key: API_KEY },
    session
  )
  t.match(await subscribe(there, session, `session://${session_id}`), { body: { result: {} } })
  const heard = [`session://${session_id}`]
  t.same(await toldBy(open, () => ok(elsewhere, 'add_message', { session_id, content: 'x' })), heard)
  t.same(
    await toldBy(open, () =>
      ok(elsewhere, 'add_message', { session_id, content: 'private', visibility: 'private' }, { agent_id: 'late' })
    ),
    heard
  )

  await callTool(elsewhere, 'legacy', 'refresh_token', {}, session)
  await quiet()
  t.ok(open.open(), 'a new token carries it on')
  t.same(await toldBy(open, () => ok(elsewhere, 'add_message', { session_id, content: 'y' })), heard)

  await callTool(elsewhere, 'legacy', 'revoke_token', {}, session)
  await open.ended
  t.match(open.comments.at(-1), 'ended: token_ended')
})

t.test('a stream ends with its token', async t => {
  const session_id = await newSession(here)
  for (const subscribed of [true, false]) {
    const bearer = await token(here, 'ending')
    const session = { ...(await openSession(here)), authorization: `Bearer ${bearer}` }
    if (subscribed) await subscribe(here, session, `session://${session_id}`)
    const open = await stream(t, 2, session)
    await ok(here, 'revoke_token', {}, { token: bearer })
    await open.ended
    t.match(open.comments.at(-1), 'ended: token_ended', `subscribed: ${subscribed}`)
    t.equal((await stream(t, 2, session)).status, 401)
  }
})

t.test('a stream ends with the API key that its token was made with', async t => {
  const session_id = await newSession(here)
  const ADMIN = { admin: true, agent_id: 'boss' }
  for (const subscribed of [true, false]) {
    const { api_key, key_id, token } = await boundKey(here, ADMIN)
    const [byToken, byKey] = (await Promise.all(
      ([{ authorization: `Bearer ${token}` }, { 'x-api-key': api_key }] as Headers[]).map(async credentials => {
        const session: Headers = { ...(await openSession(here)), ...credentials }
        if (subscribed) await subscribe(here, session, `session://${session_id}`)
        return stream(t, 2, session)
      })
    )) as [Stream, Stream]
    await ok(there, 'revoke_api_key', { key_id }, ADMIN)
    await Promise.all([byToken.ended, byKey.ended])
    t.match(
      [byToken.comments.at(-1), byKey.comments.at(-1)],
      ['ended: token_ended', 'ended: key_ended'],
      `subscribed: ${subscribed}`
    )
  }
})

t.test('a stream ends with its session, on another replica', async t => {
  const session = { ...(await openSession(here)), ...AS('leaver') }
  const open = await stream(t, 0, session)
  t.equal((await there.server.inject({ method: 'DELETE', url: '/mcp', headers: session })).statusCode, 200)
  await open.ended
  t.match(open.comments.at(-1), 'ended: session_ended')
  t.equal((await stream(t, 0, session)).status, 404)
})

t.test('what is no stream', async t => {
  const session = { ...(await openSession(here)), ...AS('reader') }
  const get = async (headers: Headers) => {
    const { statusCode, headers: answered } = await here.server.inject({ method: 'GET', url: '/mcp', headers })
    return [statusCode, answered.allow]
  }
  t.same(await get({ accept: 'text/event-stream' }), [405, 'GET, POST, DELETE'], 'no session')
  t.same(await get({ accept: 'application/json', ...session }), [405, 'GET, POST, DELETE'], 'no event stream')
  t.same(await get({ accept: 'text/event-stream', 'mcp-session-id': 'unknown' }), [404, undefined])
  t.same(await get({ accept: 'text/event-stream', ...session, 'mcp-protocol-version': '1999-01-01' }), [400, undefined])
  t.same(await get({ accept: 'text/event-stream', ...session, authorization: 'Bearer None' }), [401, undefined])
  t.same(await get({ accept: 'text/event-stream', ...session, 'x-api-key': 'wrong' }), [401, undefined])
})

t.test('what cannot be subscribed to', async t => {
  const session = { ...(await openSession(here)), ...AS('asker') }
  for (const uri of ['session://session_0123456789abcdef', 'nothing://here', 'session://']) {
    t.match((await subscribe(here, session, uri)).body, { error: { code: -32002, data: { code: /NOT_FOUND/ } } }, uri)
  }
  t.match((await subscribe(here, session, 'server://info')).body, { result: {} }, 'never changes')
  t.match((await request(here, 'legacy', 'resources/subscribe', {}, session)).body, {
    error: { code: -32602, data: { context: { argument: 'uri' } } }
  })
  t.match((await subscribe(here, AS('asker'), 'agent://asker/memory')).body, {
    error: { code: -32602, data: { context: { argument: 'Mcp-Session-Id' } } }
  })
  t.match((await unsubscribe(here, session, 'session://never')).body, { result: {} })
  const writer = { ...(await openSession(here)), authorization: `Bearer ${await token(here, 'writer', ['write'])}` }
  t.match((await subscribe(here, writer, 'agent://writer/memory')).body, {
    error: { data: { code: 'PERMISSION_DENIED' } }
  })

  const ids = await Promise.all(Array.from({ length: 101 }, async () => newSession(here)))
  for (const id of ids.slice(0, 100)) t.match((await subscribe(here, session, `session://${id}`)).body, { result: {} })
  t.match((await subscribe(here, session, `session://${ids[100] as string}`)).body, {
    error: { data: { code: 'INVALID_INPUT', error: /100/ } }
  })
  t.match((await subscribe(here, session, `session://${ids[0] as string}`)).body, { result: {} }, 'again is no more')
  await unsubscribe(here, session, `session://${ids[0] as string}`)
  t.match((await subscribe(here, session, `session://${ids[100] as string}`)).body, { result: {} })
})

t.test('the client of the SDK', async t => {
  const { client, errors } = await connectLegacy(t, `${bases[0] as string}/mcp`, AS('sdk-client'))
  const updates: string[] = []
  const whole = client as unknown as LegacyClient
  t.match(whole.getServerCapabilities(), { resources: { subscribe: true } })
  whole.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    updates.push(params.uri)
  })
  const session_id = await newSession(here)
  await whole.subscribeResource({ uri: `session://${session_id}` })
  await ok(there, 'add_message', { session_id, content: 'for the client' })
  t.same(
    await eventually(
      async () => [...updates],
      all => all.length > 0
    ),
    [`session://${session_id}`]
  )
  await whole.unsubscribeResource({ uri: `session://${session_id}` })
  t.same(errors, [])
})

// It takes the connections of all: alone.
t.test('a stream outlives its database connections', { buffered: false }, async t => {
  const session_id = await newSession(here)
  const uri = `session://${session_id}`
  const session = { ...(await openSession(here)), ...AS('patient') }
  const open = await stream(t, 0, session)
  await subscribe(here, session, uri)
  await ok(there, 'add_message', { session_id, content: 'before' })
  await told(open, 1)
  for (const app of apps) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
      and pid <> pg_backend_pid()`
      .execute(app.database.db)
      .catch(() => {})
  }
  await eventually(
    async () => {
      try {
        return (await ok(there, 'add_message', { session_id, content: 'after' })).success as boolean
      } catch {
        return false
      }
    },
    success => success
  )
  t.same((await told(open, 2)).slice(0, 2), [uri, uri])
  t.ok(open.open())
  const late = await newSession(here)
  await eventually(
    async () => (await subscribe(elsewhere, session, `session://${late}`)).body.result as unknown,
    result => result !== undefined
  )
  await ok(there, 'add_message', { session_id: late, content: 'x' })
  t.ok(
    (
      await eventually(
        async () => [...open.told],
        all => all.includes(`session://${late}`)
      )
    ).includes(`session://${late}`),
    'and obeys still'
  )
})

t.test('there are only so many for one agent', async t => {
  const headers = await Promise.all(
    Array.from({ length: 101 }, async () => ({
      ...(await openSession(there)),
      'x-api-key': ADMIN_API_KEY,
      'x-agent-id': 'greedy'
    }))
  )
  const streams = []
  for (const each of headers) streams.push(await stream(t, 1, each))
  t.same([...new Set(streams.slice(0, 100).map(one => one.status))], [200])
  t.equal(streams[100]?.status, 429)
  streams[0]?.close()
  t.equal(
    await eventually(
      async () => {
        const again = await stream(t, 1, headers[100] as Headers)
        return again.status
      },
      status => status === 200
    ),
    200
  )
})

t.test('streams end when the replica stops', async t => {
  const app = await startApp(t, {}, { url: database.url })
  bases.push(await listen(app))
  const session = { ...(await openSession(here)), ...AS('staying') }
  const open = await stream(t, 3, session)
  app.stop()
  await open.ended
  t.match(open.comments.at(-1), 'ended: stopping')
  t.equal((await stream(t, 0, session)).status, 200, 'and opens on another')
})
