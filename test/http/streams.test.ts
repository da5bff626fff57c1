import t from 'tap'
import type { ErrorCode } from '../../src/kernel/errors.js'
import { type As, listen, newSession, ok, startApp, type TestApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { openStream, type StreamClient } from './stream-client.js'
import { until } from '../support/until.js'

/** The stream of one session, over sockets, on two replicas of one database. */

const app = await startApp(t)
const other = await startApp(t, {}, app)
const [here, there] = [await listen(app), await listen(other)]

const WRITER: As = { agent_id: 'writer', agent_type: 'red' }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'blue' }

async function write(on: TestApp, session_id: string, visibility = 'public', content = 'message'): Promise<number> {
  return (
    await ok(on, 'add_message', { session_id, content, visibility }, { ...WRITER, admin: visibility === 'admin_only' })
  ).message_id
}

const show = (on: TestApp, message_id: number, visibility: string) =>
  ok(on, 'set_message_visibility', { message_id, visibility }, WRITER)
const address = (session_id: string) => `/mcp/sessions/${session_id}/events`
const brief = (client: StreamClient) =>
  client
    .changes()
    .map(({ id, event, data }) => [Number(id), event, data.message?.id ?? data.message_id ?? data.session.id])

t.test('a stream tells what comes, from either replica, in its order', async t => {
  const session_id = await newSession(app, WRITER)
  const before = await write(app, session_id)
  const stream = await openStream(here, address(session_id), STRANGER)
  t.match(stream, {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no'
    }
  })
  await stream.waitFor(events => events.length === 1)
  t.same(stream.events, [{ id: '1', event: 'start', data: { session_id, last_seq: 1 } }], 'from now on')
  t.match(stream.text(), /^retry: \d+\n/)
  const ids = [await write(app, session_id), await write(other, session_id)]
  await write(other, session_id, 'private')
  await ok(app, 'update_session', { session_id, purpose: 'another' }, WRITER)
  // One that is hidden before it was told is never told.
  await stream.waitFor(events => events.filter(({ event }) => event === 'message_added').length === ids.length)
  await show(other, ids[0] as number, 'agent_only')
  await ok(other, 'update_session', { session_id, is_active: false }, WRITER)
  await stream.waitFor(() => stream.changes().some(({ event }) => event === 'session_closed'))
  const told = brief(stream)
  t.same(
    told.filter(([, event]) => event === 'message_added').map(([, , id]) => id),
    ids
  )
  t.ok(told.some(([seq, event, id]) => seq === 6 && event === 'message_hidden' && id === ids[0]))
  t.same(
    told.map(([seq]) => seq),
    [...told.map(([seq]) => seq)].sort((a, b) => a - b)
  )
  t.notOk(stream.text().includes('private'), "nothing of what is another's")
  t.match(stream.changes().at(-1), {
    id: '7',
    data: { seq: 7, type: 'session_closed', session: { id: session_id, purpose: 'another', is_active: false } }
  })
  stream.close()

  const again = await openStream(there, `${address(session_id)}?after_seq=0`, WRITER)
  await again.waitFor(() => again.changes().length === 5)
  t.same(
    brief(again),
    [
      ...[before, ...ids, (ids[1] as number) + 1].map((id, i) => [i + 1, 'message_added', id]),
      [7, 'session_closed', session_id]
    ],
    'all that its writer may see now, from the beginning'
  )
  again.close()
})

t.test('content arrives as it was written, on one line whatever a client takes for one', async t => {
  const session_id = await newSession(app, WRITER)
  const [content, metadata] = ['one\ntwo\u2028three\u2029four \u{1f680} data: x\n\nid: 9', { note: 'a\u0085b' }]
  await ok(app, 'add_message', { session_id, content, metadata }, WRITER)
  const stream = await openStream(here, `${address(session_id)}?after_seq=0`, WRITER)
  await stream.waitFor(() => stream.changes().length === 1)
  t.match(stream.changes()[0]?.data.message, { content, metadata })
  t.notMatch(stream.text(), /[\u0085\u2028\u2029\r]/)
  stream.close()
})

t.test('a stream that was cut is resumed anywhere: each change once', async t => {
  const session_id = await newSession(app, WRITER)
  const ids: number[] = []
  for (let n = 0; n < 250; n++)
    ids.push(await write(n % 2 === 0 ? app : other, session_id, n % 3 === 0 ? 'private' : 'public'))
  const seen = ids.filter((_, n) => n % 3 !== 0)
  const got: number[] = []
  let last = '0'
  for (let cut = 1; got.length < seen.length; cut++) {
    const stream = await openStream(
      cut % 2 === 0 ? here : there,
      `${address(session_id)}?after_seq=999999`,
      STRANGER,
      last
    )
    const take = Math.min(cut, seen.length - got.length)
    await stream.waitFor(() => stream.changes().length >= take)
    stream.close()
    for (const { id, data } of stream.changes().slice(0, take)) {
      got.push(data.message.id)
      last = id as string
    }
  }
  t.same(got, seen)
})

t.test('a cursor beyond the head is the head', async t => {
  const session_id = await newSession(app, WRITER)
  const stream = await openStream(here, `${address(session_id)}?after_seq=77`, WRITER)
  const id = await write(app, session_id)
  await stream.waitFor(() => stream.changes().length === 1)
  t.same(brief(stream), [[1, 'message_added', id]])
  stream.close()
})

t.test('what is refused is refused before the stream begins, as everywhere', async t => {
  const session_id = await newSession(app, WRITER)
  const refusals: Array<[path: string, as: As, status: number, code: ErrorCode, lastEventId?: string]> = [
    [address(session_id), { anonymous: true }, 401, 'AUTHENTICATION_REQUIRED'],
    [address(session_id), { token: 'None' }, 401, 'INVALID_TOKEN'],
    [address(session_id), { headers: { 'x-api-key': 'wrong' } }, 401, 'INVALID_API_KEY'],
    [address('session_0000000000000000'), WRITER, 404, 'SESSION_NOT_FOUND'],
    [address('nonsense'), WRITER, 404, 'SESSION_NOT_FOUND'],
    [`${address(session_id)}?after_seq=-1`, WRITER, 400, 'INVALID_INPUT'],
    [`${address(session_id)}?after_seq=x`, WRITER, 400, 'INVALID_INPUT'],
    [`${address(session_id)}?after_seqq=1`, WRITER, 400, 'INVALID_INPUT'],
    [`${address(session_id)}?after_seq=1&after_seq=2`, WRITER, 400, 'INVALID_INPUT'],
    [address(session_id), WRITER, 400, 'INVALID_INPUT', 'x'],
    [address(session_id), WRITER, 400, 'INVALID_INPUT', '99999999999999999999'],
    ['/mcp/events?after_seq=1', WRITER, 400, 'INVALID_INPUT'],
    ['/mcp/events', { anonymous: true }, 401, 'AUTHENTICATION_REQUIRED'],
    ...['x', '1', 'abcdef.1-1', '......', `${'9'.repeat(20)}.1-1.1`].map(
      id => ['/mcp/events', WRITER, 400, 'INVALID_INPUT', id] as [string, As, number, ErrorCode, string]
    )
  ]
  for (const [path, as, status, code, lastEventId] of refusals) {
    const stream = await openStream(here, path, as, lastEventId)
    await until(stream.closed, 'the answer')
    isFailure(t, { status: stream.status, headers: stream.headers, body: stream.body() }, code, `${path} ${code}`)
    t.equal(stream.status, status, path)
  }
  for (const url of [address(session_id), '/mcp/events']) {
    for (const method of ['POST', 'DELETE', 'PUT'] as const)
      t.match(await app.server.inject({ method, url }), { statusCode: 405, headers: { allow: 'GET' } })
    t.match(await app.server.inject({ method: 'HEAD', url }), { statusCode: 405 })
  }
  await until(
    async () =>
      (
        await app.database.pool.query(
          "select from audit_log where action = 'session_events' and event_type = 'credential_refused'"
        )
      ).rowCount !== 0,
    'refused credentials are audited'
  )
})

t.test('an agent that may not read gets nothing', async t => {
  const { token } = await ok(app, 'authenticate_agent', {
    agent_id: 'mute',
    agent_type: 'red',
    requested_permissions: ['write']
  })
  for (const path of ['/mcp/events', address(await newSession(app, WRITER))]) {
    const stream = await openStream(here, path, { token })
    await until(stream.closed, 'the answer')
    t.match(stream.body(), { success: false, code: 'PERMISSION_DENIED', context: { required_permission: 'read' } })
  }
})

t.test('nothing is left of streams that have gone', async t => {
  await until(
    () => [app, other].every(({ server, load }) => server.live.counts().followers === 0 && load.in_flight === 0),
    'followers and requests in flight are gone'
  )
  const { body } = await app.server.inject({ url: '/metrics' })
  t.match(body, /^event_streams_open\{kind="session"\} 0$/m)
  t.match(body, /^event_streams_open\{kind="workspace"\} 0$/m)
  t.notMatch(
    body,
    /http_request_duration_seconds_count\{[^}]*events",status_code="200"/,
    'the time a client stays is no duration'
  )
})
