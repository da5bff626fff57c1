import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { listen } from '../helper.js'
import { openStream } from '../http/stream-client.js'

/** Addressees and payloads of messages: on every way in and out. */

const app = await startApp(t)
const SENDER = { agent_id: 'sender', agent_type: 'red' }
const READER = { agent_id: 'reader', agent_type: 'blue' }
const PAYLOAD = { z: 1, a: [null, 'x', { deep: 1e20 }], text: '世界 \u2028' }

t.test('both come back as they are, wherever there are messages', async t => {
  const base = await listen(app)
  const session_id = await newSession(app, SENDER)
  const stream = await openStream(base, `/mcp/sessions/${session_id}/events?after_seq=0`, READER)
  const everywhere = await openStream(base, '/mcp/events', READER)
  const waiting = ok(app, 'wait_for_messages', { session_id, after_seq: 0, timeout_seconds: 20 }, READER)
  const draft = { content: 'zebras', to: ['reader', 'type:blue', 'reader'], payload: PAYLOAD }
  const { message_id } = await ok(app, 'add_message', { session_id, ...draft }, SENDER)
  const isWhole = (message: any, what: string) => {
    t.same(message.to, ['reader', 'type:blue'], `${what}: to`)
    t.equal(JSON.stringify(message.payload), JSON.stringify(PAYLOAD), `${what}: payload, its keys in their order`)
  }
  isWhole((await waiting).messages[0], 'wait_for_messages')
  for (const [what, opened] of [
    ['a stream', stream],
    ['the stream of the workspace', everywhere]
  ] as const) {
    await opened.waitFor(events => events.some(({ event }) => event === 'message_added'))
    isWhole(opened.changes().find(({ event }) => event === 'message_added')?.data.message, what)
    opened.close()
  }
  const tools: Array<[string, Record<string, unknown>]> = [
    ['get_messages', { session_id }],
    ['get_messages', { session_id, after_seq: 0 }],
    ['wait_for_messages', { session_id, after_seq: 0 }],
    ['get_session', { session_id }],
    ['search_by_sender', { session_id, sender: 'sender' }],
    ['search_by_timerange', { session_id, start_time: '2020-01-01', end_time: '2999-01-01' }],
    ['get_inbox', { session_id }],
    ['wait_for_inbox', { session_id }]
  ]
  for (const [tool, args] of tools) isWhole((await ok(app, tool, args, READER)).messages[0], tool)
  isWhole((await ok(app, 'search_context', { query: 'zebras' }, READER)).results[0].message, 'search_context')
  const change = { message_id, visibility: 'agent_only' }
  isWhole((await ok(app, 'set_message_visibility', change, SENDER)).message, 'set_message_visibility')

  const { ndjson } = await ok(app, 'export_session', { session_id }, SENDER)
  const copy = await ok(app, 'import_session', { ndjson }, { ...SENDER, admin: true })
  isWhole((await ok(app, 'get_messages', { session_id: copy.session_id }, SENDER)).messages[0], 'a copy of the session')
  await ok(app, 'set_message_visibility', { message_id, visibility: 'public' }, SENDER)
  t.equal((await ok(app, 'get_inbox', {}, READER)).count, 1, 'of the copy what was not public is not for it to see')
})

t.test('a message without them has neither', async t => {
  const session_id = await newSession(app)
  await ok(app, 'add_messages', { session_id, messages: [{ content: 'a' }, { content: 'b', to: null, payload: null }] })
  for (const message of (await ok(app, 'get_messages', { session_id })).messages)
    t.same(
      Object.keys(message).sort(),
      [
        ...['content', 'id', 'metadata', 'parent_message_id', 'sender', 'sender_type', 'seq', 'session_id'],
        ...['timestamp', 'visibility']
      ],
      'just what clients have always got'
    )
})

t.test('a payload is not searched, and stands for content', async t => {
  const session_id = await newSession(app)
  for (const payload of [{ word: 'aardvark' }, 'aardvark', 0, false, [], ''])
    await ok(app, 'add_message', { session_id, content: '', payload })
  const { messages } = await ok(app, 'get_messages', { session_id })
  t.same(
    messages.map(({ payload }: any) => payload),
    [{ word: 'aardvark' }, 'aardvark', 0, false, [], '']
  )
  t.equal((await ok(app, 'search_context', { session_id, query: 'aardvark' })).message_count, 0)
  isFailure(t, await call(app, 'add_message', { session_id, content: '' }), 'INVALID_INPUT')
  isFailure(t, await call(app, 'add_message', { session_id, content: '', metadata: { a: 1 } }), 'INVALID_INPUT')
  isFailure(
    t,
    await call(app, 'add_message', { session_id, content: 'x', payload: 'y'.repeat(2 ** 20) }),
    'CONTENT_TOO_LARGE'
  )
})

t.test('bad addressees are refused, and say what to do', async t => {
  const session_id = await newSession(app)
  for (const to of [[], [''], ['type:'], [' a'], ['a\n'], ['x'.repeat(101)], Array(51).fill('a'), 'a', [1]])
    isFailure(t, await call(app, 'add_message', { session_id, content: 'x', to }), 'INVALID_INPUT')
  for (const args of [
    { content: 'x', visibility: 'direct' },
    {
      messages: [
        { content: 'x', visibility: 'direct', to: ['a'] },
        { content: 'x', visibility: 'direct' }
      ]
    }
  ]) {
    const answer = await call(app, 'messages' in args ? 'add_messages' : 'add_message', { session_id, ...args })
    isFailure(t, answer, 'INVALID_INPUT')
    t.match(answer.body.context.argument, /to$/)
  }
  t.equal((await ok(app, 'get_messages', { session_id })).count, 0)
  const { message_id } = await ok(app, 'add_message', { session_id, content: 'x' })
  isFailure(t, await call(app, 'set_message_visibility', { message_id, visibility: 'direct' }), 'INVALID_INPUT')
})

t.test('no new agent has a name that stands for a type', async t => {
  for (const tool of ['list_sessions', 'get_inbox'])
    isFailure(t, await call(app, tool, {}, { agent_id: 'type:blue' }), 'INVALID_INPUT')
  const agent = { agent_id: 'type:blue', agent_type: 'red' }
  isFailure(t, await call(app, 'authenticate_agent', agent), 'INVALID_INPUT')
  isFailure(t, await call(app, 'create_api_key', agent, { admin: true }), 'INVALID_INPUT')
})

t.test('the answer says who was reached', async t => {
  const session_id = await newSession(app, READER)
  const to = ['reader', 'nobody-yet', 'type:blue', 'type:unheard']
  const reached = async () => (await ok(app, 'add_message', { session_id, content: 'x', to }, SENDER)).addressed
  const known = { known: true, last_seen_at: /Z$/, waiting: false }
  const unknown = { known: false, last_seen_at: null, waiting: false }
  let addressed = await reached()
  // An agent is known a second after its first call, and a wait is over a second after its end.
  for (let i = 0; i < 100 && (addressed[0].known !== true || addressed[0].waiting !== false); i++) {
    await new Promise(resolve => setTimeout(resolve, 50))
    addressed = await reached()
  }
  t.match(addressed, [
    { agent_id: 'reader', ...known },
    { agent_id: 'nobody-yet', ...unknown },
    { agent_id: 'type:blue', ...known },
    { agent_id: 'type:unheard', ...unknown }
  ])
  const many = {
    session_id,
    messages: [
      { content: 'x', to: ['reader'] },
      { content: 'y', to: ['nobody-yet'] }
    ]
  }
  t.match((await ok(app, 'add_messages', many, SENDER)).addressed, [{ agent_id: 'reader' }, { agent_id: 'nobody-yet' }])
  t.notOk('addressed' in (await ok(app, 'add_message', { session_id, content: 'x' }, SENDER)))
})

t.test('a repeat gets the first answer, whatever has become of those addressed', async t => {
  const session_id = await newSession(app)
  const args = { session_id, content: 'x', to: ['late-comer'], idempotency_key: 'once' }
  const first = await ok(app, 'add_message', args)
  await ok(app, 'set_status', { status: 'here' }, { agent_id: 'late-comer' })
  t.same(await ok(app, 'add_message', args), first)
  t.match(first.addressed, [{ known: false }])
  t.equal((await ok(app, 'get_inbox', {}, { agent_id: 'late-comer' })).count, 1)
})
