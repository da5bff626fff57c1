import t from 'tap'
import { plain } from '../../src/http/openapi.js'
import { type As, call, listen, newSession, ok, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'
import { callTool, request } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { samples } from '../support/samples.js'
import { told } from './told.js'

/**
 * Credentials for one session of a workspace, an admin's too: the others are not there, whichever way they are asked
 * for.
 */

const app = await startApp(t, { AUDIT_HMAC_KEY: 'audit-key-of-tests-0123456789-0123456789' })
const base = await listen(app)
const BOSS: As = { admin: true, agent_id: 'boss' }
const OWNER: As = { agent_id: 'owner', agent_type: 'kind' }

const open = await newSession(app, OWNER, 'the one')
const hidden = await newSession(app, OWNER, 'a hidden walrus')
const { message_id } = await ok(
  app,
  'add_message',
  { session_id: hidden, content: '@limited the hidden walrus' },
  OWNER
)
await ok(app, 'add_message', { session_id: open, content: 'for all' }, OWNER)
const WIDE = (
  await ok(
    app,
    'create_api_key',
    { agent_id: 'limited*', agent_type: 'kind', permissions: ['read', 'write', 'admin'] },
    BOSS
  )
).api_key as string
const NARROW = (
  await ok(
    app,
    'create_api_key',
    { agent_id: 'limited*', agent_type: 'kind', permissions: ['read', 'write', 'admin'], sessions: [open] },
    BOSS
  )
).api_key as string
const withKey = (key: string, agent_id = 'limited'): As => ({
  anonymous: true,
  headers: { 'x-api-key': key, 'x-agent-id': agent_id }
})
// The same agent has been in the other session, by other credentials.
await ok(app, 'set_memory', { key: 'walrus', value: 'walrus', session_id: hidden }, withKey(WIDE))
await ok(app, 'mark_read', { session_id: hidden, up_to_seq: 0 }, withKey(WIDE))

const tokenWith = async (key: string, more = {}) =>
  (
    await ok(
      app,
      'authenticate_agent',
      {
        agent_id: 'limited',
        agent_type: 'kind',
        api_key: key,
        requested_permissions: ['read', 'write', 'admin'],
        ...more
      },
      { anonymous: true }
    )
  ).token as string
const everyWay: Array<[string, As]> = [
  ['its key', withKey(NARROW)],
  ['a token of its key', { token: await tokenWith(NARROW) }],
  ['a token narrowed at once', { token: await tokenWith(WIDE, { sessions: [open] }) }],
  [
    'a token made from another',
    { token: (await ok(app, 'create_token', { sessions: [open] }, { token: await tokenWith(WIDE) })).token as string }
  ],
  [
    'that one, refreshed',
    {
      token: (
        await ok(
          app,
          'refresh_token',
          {},
          { token: (await ok(app, 'create_token', { sessions: [open] }, { token: await tokenWith(WIDE) })).token }
        )
      ).token as string
    }
  ]
]
const headersOf = (as: As): Record<string, string> =>
  as.token === undefined ? (as.headers ?? {}) : { authorization: `Bearer ${as.token}` }

t.test('every tool that is given an id from outside', async t => {
  let asked = 0
  for (const tool of app.kernel.tools) {
    const { properties } = plain(tool.input) as { properties: Record<string, unknown> }
    for (const name of ['session_id', 'message_id', 'parent_message_id'].filter(name => name in properties)) {
      const { args } = await (samples[tool.name] as (typeof samples)[string])(app)
      const usual = {
        ...args,
        ...('session_id' in properties && { session_id: open }),
        parent_message_id: undefined,
        ...('messages' in args && { messages: [{ content: 'x' }] }),
        idempotency_key: undefined,
        cursor: undefined,
        key: 'key' in args ? 'walrus' : undefined
      }
      const given = Object.fromEntries(Object.entries(usual).filter(([, value]) => value !== undefined))
      for (const [how, as] of everyWay) {
        const answers = await Promise.all(
          (name === 'session_id' ? [hidden, 'session_0000000000000000'] : [message_id, 999_999_999]).map(id =>
            call(app, tool.name, { ...given, [name]: id }, as)
          )
        )
        const [theirs, nobodys] = answers.map(answer =>
          JSON.stringify(told(answer))
            .replaceAll(/session_0{16}/g, hidden)
            .replaceAll('999999999', String(message_id))
        )
        t.equal(theirs, nobodys, `${tool.name}, ${name}, by ${how}`)
        asked++
      }
    }
  }
  t.ok(asked > 80, `${asked} calls`)
  t.equal((await ok(app, 'get_messages', { session_id: hidden }, BOSS)).messages.length, 1, 'it is as it was')
  await ok(app, 'get_session', { session_id: hidden }, OWNER)
})

t.test('lists, searches, counts, resources, prompts, subscriptions', async t => {
  for (const [how, as] of everyWay) {
    const headers = headersOf(as)
    const answers = await Promise.all([
      ok(app, 'list_sessions', { limit: 200 }, as),
      ok(app, 'list_sessions', { query: 'walrus' }, as),
      ok(app, 'search_context', { query: 'hidden walrus' }, as),
      ok(app, 'list_memory', { session_id: 'all' }, as),
      ok(app, 'get_audit_log', { limit: 1000 }, as),
      ok(app, 'get_usage_guidance', {}, as)
    ])
    const [, , search] = answers
    t.equal(search.message_count, 0, how)
    t.notMatch(JSON.stringify(answers.map(({ query, ...answer }) => answer)), new RegExp(`${hidden}|walrus`), how)
    for (const era of ['legacy', 'modern'] as const) {
      for (const uri of [`session://${hidden}`, `session://${hidden}/messages/10`])
        t.match(
          (await request(app, era, 'resources/read', { uri }, headers)).body.error,
          { data: { code: 'SESSION_NOT_FOUND' } },
          `${how}: ${uri}`
        )
      const listed = JSON.stringify([
        (await request(app, era, 'resources/list', {}, headers)).body,
        (await request(app, era, 'prompts/get', { name: 'debug-session', arguments: { session_id: hidden } }, headers))
          .body,
        (await request(app, era, 'resources/read', { uri: 'agent://limited/memory' }, headers)).body,
        (
          await request(
            app,
            era,
            'completion/complete',
            { ref: { type: 'ref/prompt', name: 'debug-session' }, argument: { name: 'session_id', value: 'session_' } },
            headers
          )
        ).body
      ])
      t.notMatch(listed.replaceAll(`"session_id":"${hidden}"`, ''), /walrus/, how)
      t.match(await callTool(app, era, 'wait_for_messages', { session_id: hidden, timeout_seconds: 1 }, headers), {
        isError: true
      })
    }
    t.equal((await app.server.inject({ url: `/mcp/sessions/${hidden}/events`, headers })).statusCode, 404, how)
  }
})

t.test('the stream of all sessions tells of its own alone', async t => {
  const streams = await Promise.all(everyWay.map(([, as]) => openStream(base, '/mcp/events', as)))
  t.teardown(() => {
    for (const stream of streams) stream.close()
  })
  for (const stream of streams) await stream.waitFor(events => events.length > 0)
  const doomed = await newSession(app, OWNER, 'a doomed walrus')
  await ok(app, 'add_message', { session_id: doomed, content: 'walrus' }, OWNER)
  await ok(app, 'update_session', { session_id: hidden, purpose: 'another walrus' }, OWNER)
  await ok(app, 'set_message_visibility', { message_id, visibility: 'agent_only' }, OWNER)
  await ok(app, 'delete_session', { session_id: doomed }, OWNER)
  const last = (await ok(app, 'add_message', { session_id: open, content: 'in the end' }, OWNER)).message_id as number
  for (const [i, stream] of streams.entries()) {
    await stream.waitFor(events => events.some(({ data }) => data.message?.id === last))
    t.notMatch(stream.text(), new RegExp(`${hidden}|${doomed}|walrus`), everyWay[i]?.[0] ?? '')
  }
})

t.test('it cannot be made wider', async t => {
  for (const [how, as] of everyWay) {
    isFailure(
      t,
      await call(app, 'create_api_key', { agent_id: 'x', agent_type: 'y', sessions: [hidden] }, as),
      how.startsWith('its key') || how === 'a token of its key' ? 'SESSION_NOT_FOUND' : 'PERMISSION_DENIED',
      how
    )
    if (as.token !== undefined) {
      isFailure(t, await call(app, 'create_token', { sessions: [hidden] }, as), 'SESSION_NOT_FOUND', how)
      isFailure(t, await call(app, 'create_token', { sessions: [open, hidden] }, as), 'SESSION_NOT_FOUND', how)
      const again = await ok(app, 'create_token', {}, as)
      t.same(again.sessions, [open], how)
      isFailure(
        t,
        await call(app, 'get_session', { session_id: hidden }, { token: again.token }),
        'SESSION_NOT_FOUND',
        how
      )
    }
    for (const [tool, args] of [
      ['create_session', { purpose: 'x' }],
      ['erase_agent', { agent_id: 'owner' }],
      ['set_retention', { days: 1 }],
      ['revoke_token', { agent_id: 'owner' }],
      ['import_session', { ndjson: (await ok(app, 'export_session', { session_id: open }, as)).ndjson as string }]
    ] as const) {
      isFailure(t, await call(app, tool, args, as), 'PERMISSION_DENIED', `${how}: ${tool}`)
    }
    // An answer that was kept for wider credentials is not given to these.
    const once = { session_id: hidden, content: 'a walrus once', idempotency_key: `once ${how}` }
    const message = await ok(app, 'add_message', once, withKey(WIDE))
    const answer = await call(app, 'add_message', once, as)
    t.not(answer.status, 200, how)
    t.notMatch(JSON.stringify(answer.body), new RegExp(`"message_id":${message.message_id}`))
  }
  const made = await ok(
    app,
    'create_api_key',
    { agent_id: 'below', agent_type: 'kind', permissions: ['admin'] },
    withKey(NARROW)
  )
  t.same(made.sessions, [open], 'a key that it makes is for no more')
  t.notOk(
    (await ok(app, 'list_api_keys', {}, withKey(NARROW))).keys.some(({ sessions }: any) => sessions === null),
    'and it sees no others'
  )
})

t.test('a name that only looks like one of a prefix', async t => {
  for (const name of ['Limited', 'l', 'limite', '*', 'x-limited', 'ｌimited', 'l\u0131mited', 'limıted', 'boss']) {
    const answer = await call(app, 'get_usage_guidance', {}, withKey(NARROW, Buffer.from(name).toString('latin1')))
    t.ok([400, 403].includes(answer.status), JSON.stringify(name))
    isFailure(
      t,
      await call(
        app,
        'authenticate_agent',
        { agent_id: name, agent_type: 'kind', api_key: NARROW },
        { anonymous: true }
      ),
      'PERMISSION_DENIED',
      JSON.stringify(name)
    )
    isFailure(
      t,
      await call(app, 'create_token', { agent_id: name }, { token: await tokenWith(NARROW) }),
      'PERMISSION_DENIED',
      JSON.stringify(name)
    )
  }
})

t.test('a name with a character that is not seen', async t => {
  const args = { agent_id: '\u200blimited', agent_type: 'kind', api_key: NARROW }
  isFailure(t, await call(app, 'authenticate_agent', args, { anonymous: true }), 'INVALID_INPUT')
})

/** Tools that tell of all workspaces. */
const OPERATORS = ['get_performance_metrics', 'get_server_health', 'list_workspaces']

t.test('figures of the whole server are for the operator', async t => {
  await ok(app, 'create_api_key', { agent_id: 'x', agent_type: 'kind', workspace: 'elsewhere' }, BOSS)
  const { api_key: elsewhere } = await ok(
    app,
    'create_api_key',
    { agent_id: 'chief', agent_type: 'kind', permissions: ['admin'], workspace: 'elsewhere' },
    BOSS
  )
  for (const [what, as] of [
    ...everyWay,
    ['an admin of the workspace', withKey(WIDE)],
    ['an admin of another workspace', withKey(elsewhere, 'chief')]
  ] as Array<[string, As]>) {
    for (const tool of OPERATORS) {
      const answer = await call(app, tool, {}, as)
      isFailure(t, answer, 'PERMISSION_DENIED', `${tool}: ${what}`)
      t.match(answer.body, { error: /all workspaces.*operator/i, context: { required_permission: 'operator' } }, what)
      t.notMatch(JSON.stringify(answer.body), /size_bytes|p99_ms|elsewhere/, what)
    }
  }
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'boss', agent_type: 'x', requested_permissions: ['admin'] },
    BOSS
  )
  for (const as of [BOSS, { token }] as As[])
    for (const tool of OPERATORS) t.equal((await call(app, tool, {}, as)).status, 200)
})
