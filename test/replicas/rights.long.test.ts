import { createHmac } from 'node:crypto'
import t, { type Test } from 'tap'
import { ADMIN_API_KEY, type As, JWT_SECRET } from '../helper.js'
import { openStream, type StreamClient } from '../http/stream-client.js'
import { createDatabase } from '../support/cluster.js'
import { post, until } from '../support/rest.js'
import { startFleet } from './fleet.js'

/**
 * Rights that end while somebody listens, on three replicas: what is decided on one holds on all, and nothing leaks.
 */

/** Tokens are known to be revoked within 2 s; the rest is for a machine that is busy. */
const LATE_MS = 6000
/** How long the token lives that expires; the streams must be open by then. */
const LIFE_S = 12

const database = await createDatabase()
t.teardown(database.drop)
const fleet = await startFleet(t, database.url)
const at = (replica: number) => fleet.urls[replica % fleet.urls.length] as string
const everywhere = fleet.urls.map((_, replica) => replica)
const WRITER = { agent: 'writer' }

async function write(replica: number, session_id: string, content: string): Promise<number> {
  const { message_id, success } = await post(at(replica), 'add_message', { session_id, content }, WRITER)
  if (success !== true) throw new Error('not written')
  return message_id
}

const tokenOf = async (agent_id: string) =>
  (await post(at(0), 'authenticate_agent', { agent_id, agent_type: 'reader' })).token as string
const newSession = async () => (await post(at(0), 'create_session', { purpose: 'rights' }, WRITER)).session_id as string
/** Of that session alone: a stream of the workspace tells of those of the tests beside, too. */
const contentsOf = (client: StreamClient, session_id: string) =>
  client.events.flatMap(({ data }) =>
    (data.session_id ?? session_id) === session_id ? (data.message?.content ?? []) : []
  ) as string[]

/** Both kinds of stream, on every replica. */
async function openAll(t: Test, session_id: string, as: As): Promise<StreamClient[]> {
  const streams = await Promise.all(
    everywhere.flatMap(replica =>
      [`/mcp/sessions/${session_id}/events?after_seq=0`, '/mcp/events'].map(path => openStream(at(replica), path, as))
    )
  )
  t.teardown(() => {
    for (const stream of streams) stream.close()
  })
  await Promise.all(streams.map(stream => stream.waitFor(events => events.length > 0)))
  return streams
}

/** Waits again and again until it is refused. @returns all it was given, and what it was refused with */
async function waitUntilRefused(
  replica: number,
  session_id: string,
  token: string
): Promise<{ contents: string[]; code: string }> {
  const contents: string[] = []
  for (let after_seq = 0; ;) {
    const answer = await post(
      at(replica),
      'wait_for_messages',
      { session_id, after_seq, timeout_seconds: 30 },
      { headers: { authorization: `Bearer ${token}` } }
    )
    if (answer.success !== true) return { contents, code: answer.code }
    contents.push(...answer.messages.map(({ content }: { content: string }) => content))
    after_seq = answer.last_seq
  }
}

/** Somebody writes all the time; what was begun at which time can be told from the content. */
async function whileWriting<T>(session_id: string, during: () => Promise<T>): Promise<T> {
  let over = false
  const writing = (async () => {
    for (let n = 0; !over; n++) {
      await write(n, session_id, `begun at ${Date.now()}`)
      await new Promise(resolve => setTimeout(resolve, 30))
    }
  })()
  try {
    return await during()
  } finally {
    over = true
    await writing
  }
}

const latest = (contents: string[]) =>
  Math.max(0, ...contents.map(content => Number(content.slice('begun at '.length))))

async function endsEverywhere(
  t: Test,
  token: string,
  { code, reason }: { code: string; reason: string },
  endIt: (session_id: string) => Promise<number>
): Promise<void> {
  const session_id = await newSession()
  await whileWriting(session_id, async () => {
    const streams = await openAll(t, session_id, { token })
    const waits = everywhere.map(replica => waitUntilRefused(replica, session_id, token))
    await Promise.all(streams.map(stream => stream.waitFor(() => contentsOf(stream, session_id).length > 0)))
    const ended_at = await endIt(session_id)
    await Promise.all(streams.map(stream => until('a stream ends', stream.closed)))
    for (const stream of streams) {
      t.match(stream.events.at(-1), { event: 'end', data: { reason, resume: false } })
      t.ok(latest(contentsOf(stream, session_id)) < ended_at + LATE_MS, 'nothing that was written later')
    }
    for (const wait of await Promise.all(waits)) {
      t.equal(wait.code, code)
      t.ok(wait.contents.length > 0 && latest(wait.contents) < ended_at + LATE_MS)
    }
    for (const [i, stream] of streams.entries()) {
      const again = await openStream(at(i), '/mcp/events', { token }, i % 2 === 1 ? stream.lastId() : undefined)
      t.equal(again.status, 401, 'and is not opened again')
      again.close()
    }
  })
}

// The one that waits for time to pass goes on beside the others.
t.jobs = 2

t.test('a token that expires', { timeout: 90_000 }, async t => {
  // As the service signs them, but for its time.
  const [head, claims] = (await tokenOf('short-lived')).split('.') as [string, string]
  const exp = Math.floor(Date.now() / 1000) + LIFE_S
  const later = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), exp }
  const body = `${head}.${Buffer.from(JSON.stringify(later)).toString('base64url')}`
  const token = `${body}.${createHmac('sha256', JWT_SECRET).update(body).digest('base64url')}`
  await endsEverywhere(t, token, { code: 'TOKEN_EXPIRED', reason: 'token_expired' }, async () => exp * 1000)
})

t.test('a token revoked on one replica', { timeout: 90_000 }, async t => {
  const token = await tokenOf('revoked')
  await endsEverywhere(t, token, { code: 'TOKEN_REVOKED', reason: 'token_revoked' }, async () => {
    t.match(await post(at(1), 'revoke_token', {}, { headers: { authorization: `Bearer ${token}` } }), { revoked: 1 })
    return Date.now()
  })
})

t.test('a token whose API key is revoked, and the key itself', { timeout: 90_000 }, async t => {
  const { api_key, key_id } = await post(
    at(0),
    'create_api_key',
    { agent_id: 'bound', agent_type: 'reader' },
    { key: ADMIN_API_KEY, agent: 'an-admin' }
  )
  const token = (await post(at(1), 'authenticate_agent', { agent_id: 'bound', agent_type: 'reader', api_key }))
    .token as string
  const byKey = await openStream(at(0), '/mcp/events', { anonymous: true, headers: { 'x-api-key': api_key } })
  await byKey.waitFor(events => events.length > 0)
  await endsEverywhere(t, token, { code: 'TOKEN_REVOKED', reason: 'token_revoked' }, async () => {
    t.match(await post(at(2), 'revoke_api_key', { key_id }, { key: ADMIN_API_KEY, agent: 'an-admin' }), {
      revoked: true
    })
    return Date.now()
  })
  await until('the stream of the key ends', byKey.closed)
  t.match(byKey.events.at(-1), { event: 'end', data: { reason: 'key_revoked', resume: false } })
})

t.test('all tokens of an agent, revoked by an admin', { timeout: 90_000 }, async t => {
  const token = await tokenOf('dismissed')
  await endsEverywhere(t, token, { code: 'TOKEN_REVOKED', reason: 'token_revoked' }, async () => {
    t.match(await post(at(2), 'revoke_token', { agent_id: 'dismissed' }, { key: ADMIN_API_KEY, agent: 'an-admin' }), {
      success: true
    })
    return Date.now()
  })
})

t.test('messages taken back on another replica than they were written on', { timeout: 90_000 }, async t => {
  const session_id = await newSession()
  const reader: As = { agent_id: 'reader', agent_type: 'reader' }
  const streams = await openAll(t, session_id, reader)
  const secrets: number[] = []
  for (let n = 0; n < 30; n++) {
    secrets.push(await write(n, session_id, `secret ${n}`))
    t.equal(
      (
        await post(
          at(n + 1 + (n % 2)),
          'set_message_visibility',
          { message_id: secrets.at(-1), visibility: 'private' },
          WRITER
        )
      ).success,
      true
    )
    // From here on it is nobody else's to see, wherever it is asked for.
    const [late, waited] = await Promise.all([
      openStream(at(n + 2), `/mcp/sessions/${session_id}/events?after_seq=0`, reader),
      post(
        at(n + 2),
        'wait_for_messages',
        { session_id, after_seq: 0, timeout_seconds: 0 },
        { agent: 'reader', headers: { 'x-agent-type': 'reader' } }
      )
    ])
    await late.waitFor(events => events.length > 0)
    late.close()
    if (late.text().includes('secret') || JSON.stringify(waited.messages).includes('secret'))
      t.fail(`secret ${n} was shown after it was taken back`)
  }
  const last = await write(0, session_id, 'in the end')
  for (const stream of streams) {
    await stream.waitFor(events => events.some(({ data }) => data.message?.id === last))
    const faults = secrets.filter(id => {
      const events = stream.events
        .filter(({ data }) => data.message?.id === id || data.message_id === id)
        .map(({ event }) => event)
      return !['', 'message_hidden', 'message_added,message_hidden'].includes(events.join())
    })
    t.same(faults, [], 'what was shown before was taken back, once, and not shown again')
  }
})
