import t, { type Test } from 'tap'
import {
  ADMIN_API_KEY,
  type Answer,
  API_KEY,
  type As,
  call,
  newSession,
  ok,
  startApp,
  type TestApp
} from '../helper.js'
import { callTool, openSession } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

/**
 * Keys of agents' own: how they are made, whom they let in as whom, and how they end. What they see is in
 * session-limits.test.ts.
 */

const app = await startApp(t)
const ADMIN: As = { admin: true, agent_id: 'boss' }

interface Key {
  api_key: string
  key_id: string
}

async function key(
  args: Record<string, unknown> = {},
  as: As = ADMIN,
  on: TestApp = app
): Promise<Key & Record<string, any>> {
  return ok(on, 'create_api_key', { agent_id: 'research-*', agent_type: 'researcher', ...args }, as)
}

const headers = (api_key: string, agent_id?: string, agent_type?: string) => ({
  'x-api-key': api_key,
  ...(agent_id !== undefined && { 'x-agent-id': agent_id }),
  ...(agent_type !== undefined && { 'x-agent-type': agent_type })
})
const by = (api_key: string, agent_id?: string, agent_type?: string): As => ({
  anonymous: true,
  headers: headers(api_key, agent_id, agent_type)
})
const who = async (as: As) => (await ok(app, 'get_usage_guidance', {}, as)).agent_info
const authenticate = (api_key: string, more: Record<string, unknown> = {}) =>
  call(
    app,
    'authenticate_agent',
    { agent_id: 'research-1', agent_type: 'researcher', api_key, ...more },
    { anonymous: true }
  )
const forge = (api_key: string) => api_key.slice(0, -1) + (api_key.endsWith('A') ? 'B' : 'A')

/** Until the replica has learnt of it, which may take 2 s. */
async function refused(as: As, on: TestApp = app): Promise<Answer> {
  const look = () => call(on, 'list_sessions', { limit: 1 }, as)
  let answer = await look()
  await until(async () => answer.status !== 200 || (answer = await look()).status !== 200, 'it is refused')
  return answer
}

t.test('a repeat of revoke_api_key for another workspace gets the first answer', async t => {
  const { key_id } = await key({ workspace: 'acme' })
  const revocation = { key_id, workspace: 'acme', idempotency_key: 'revoke once' }
  const first = await ok(app, 'revoke_api_key', revocation, ADMIN)
  t.same(await ok(app, 'revoke_api_key', revocation, ADMIN), first)
})

t.test('a key is shown once, and kept as a hash', async t => {
  const made = await key({ permissions: ['write', 'read'], expires_in: 3600 })
  t.match(made, {
    api_key: /^scs_[0-9a-f]{16}_[\w-]{43}$/,
    key_id: /^key_[0-9a-f]{16}$/,
    workspace: 'default',
    agent_id: 'research-*',
    agent_type: 'researcher',
    permissions: ['read', 'write'],
    sessions: null
  })
  t.ok(Math.abs(Date.parse(made.expires_at) - Date.now() - 3_600_000) < 60_000)
  const listed = await ok(app, 'list_api_keys', {}, ADMIN)
  t.match(listed.keys[0], { key_id: made.key_id, created_by: 'boss', created_with: null, revoked_at: null })
  t.notOk(JSON.stringify(listed).includes(made.api_key))
  const row = await app.database.db
    .selectFrom('api_keys')
    .selectAll()
    .where('key_id', '=', made.key_id)
    .executeTakeFirstOrThrow()
  t.notOk(JSON.stringify(row).includes(made.api_key.slice(22)))
  t.equal(row.hash.length, 32)
})

t.test('keys are listed page by page, the live ones unless asked', async t => {
  const own = await startApp(t)
  const made = []
  for (let i = 0; i < 5; i++) made.unshift((await key({}, ADMIN, own)).key_id)
  await ok(own, 'revoke_api_key', { key_id: made[1] }, ADMIN)
  const read = async (args: Record<string, unknown>) => {
    const found: string[] = []
    for (let cursor: string | null = null; ;) {
      const page: any = await ok(own, 'list_api_keys', { ...args, limit: 2, cursor }, ADMIN)
      found.push(...page.keys.map(({ key_id }: Key) => key_id))
      t.equal(page.count, page.keys.length)
      cursor = page.next_cursor
      if (cursor === null) return found
    }
  }
  t.same(
    await read({}),
    made.filter((_, i) => i !== 1)
  )
  t.same(await read({ include_revoked: true }), made)
})

t.test('X-API-Key, with a name it is for', async t => {
  const { api_key } = await key({ permissions: ['read'] })
  t.same(await who(by(api_key, 'research-1')), {
    agent_id: 'research-1',
    agent_type: 'researcher',
    permissions: ['read']
  })
  t.same(await who(by(api_key, 'research-1', 'researcher')), {
    agent_id: 'research-1',
    agent_type: 'researcher',
    permissions: ['read']
  })
  for (const agent_id of ['other', 'research', 'Research-1', ' xresearch-1']) {
    const answer = await call(app, 'list_sessions', {}, by(api_key, agent_id))
    isFailure(t, answer, 'PERMISSION_DENIED', agent_id)
    t.match(answer.body.context, { argument: 'agent_id', allowed: 'a name that begins with "research-"' })
  }
  const type = await call(app, 'list_sessions', {}, by(api_key, 'research-1', 'reviewer'))
  isFailure(t, type, 'PERMISSION_DENIED')
  t.match(type.body.context, { argument: 'agent_type', allowed: '"researcher"' })
  isFailure(
    t,
    await call(app, 'create_session', { purpose: 'p' }, by(api_key, 'research-1')),
    'PERMISSION_DENIED',
    'what it does not grant'
  )
  isFailure(t, await call(app, 'list_sessions', {}, by(api_key)), 'AUTHENTICATION_REQUIRED', 'a prefix names nobody')

  const { api_key: one } = await key({ agent_id: 'solo' })
  t.match(await who(by(one)), { agent_id: 'solo', agent_type: 'researcher' }, 'a key for one agent says who it is')
  isFailure(t, await call(app, 'list_sessions', {}, by(one, 'solo-2')), 'PERMISSION_DENIED')
  const { api_key: any } = await key({ agent_id: '*' })
  t.match(await who(by(any, 'whoever')), { agent_id: 'whoever' }, 'a * alone is for all')

  for (const wrong of [
    forge(api_key),
    `${api_key}x`,
    `${api_key.slice(0, 21)}${one.slice(21)}`,
    `scs_${'0'.repeat(16)}_${'A'.repeat(43)}`,
    api_key.slice(0, 40)
  ]) {
    isFailure(t, await call(app, 'list_sessions', {}, by(wrong, 'research-1')), 'INVALID_API_KEY', wrong)
  }
})

t.test('authenticate_agent', async t => {
  const { api_key, key_id } = await key({ permissions: ['read'] })
  const answer = await authenticate(api_key)
  t.match(answer.body, {
    success: true,
    agent_id: 'research-1',
    agent_type: 'researcher',
    permissions: ['read'],
    sessions: null
  })
  t.match(await who({ token: answer.body.token }), { agent_id: 'research-1', permissions: ['read'] })
  const { rows } = {
    rows: await app.database.db
      .selectFrom('audit_log')
      .selectAll()
      .where('event_type', '=', 'agent_authenticated')
      .orderBy('id', 'desc')
      .limit(1)
      .execute()
  }
  t.match(rows, [{ agent_id: 'research-1', metadata: { key_id } }])
  t.match(
    (await call(app, 'authenticate_agent', { agent_id: 'research-1', agent_type: 'researcher' }, by(api_key))).body,
    { success: true },
    'by header'
  )
  isFailure(t, await authenticate(api_key, { agent_id: 'other' }), 'PERMISSION_DENIED')
  isFailure(t, await authenticate(api_key, { agent_type: 'other' }), 'PERMISSION_DENIED')
  isFailure(t, await authenticate(forge(api_key)), 'INVALID_API_KEY')
  t.same(
    (await authenticate(api_key, { requested_permissions: ['admin', 'read'] })).body.permissions,
    ['read'],
    'no more than the key grants'
  )
  const writer = await key({ permissions: ['write'] })
  isFailure(
    t,
    await authenticate(writer.api_key, { requested_permissions: ['read'] }),
    'PERMISSION_DENIED',
    'not even read'
  )
  const admin = await key({ permissions: ['admin'] })
  t.same(
    (await authenticate(admin.api_key, { requested_permissions: ['read'] })).body.permissions,
    ['read'],
    'of an admin, anything'
  )
  const refreshed = await ok(app, 'refresh_token', {}, { token: answer.body.token })
  t.match(refreshed, { permissions: ['read'] })
})

t.test('MCP, in either era', async t => {
  const prefix = await key()
  const one = await key({ agent_id: 'solo' })
  for (const era of ['legacy', 'modern'] as const) {
    const info = async (of: Record<string, string>) => (await callTool(app, era, 'get_usage_guidance', {}, of)).said
    t.match(
      await info(headers(one.api_key)),
      { agent_info: { agent_id: 'solo', agent_type: 'researcher' } },
      'the key alone is its agent'
    )
    t.match(await info(headers(prefix.api_key, 'research-7')), { agent_info: { agent_id: 'research-7' } })
    t.match(
      await info(headers(prefix.api_key)),
      { code: 'PERMISSION_DENIED', context: { argument: 'agent_id' } },
      "the client's name is not one that it is for"
    )
    await t.rejects(info(headers(forge(one.api_key))), /401 .*INVALID_API_KEY/)
  }
  const suits = await key({ agent_id: 'a modern*', agent_type: 'mcp' })
  t.match(
    (await callTool(app, 'modern', 'get_usage_guidance', {}, headers(suits.api_key))).structuredContent,
    { agent_info: { agent_id: 'a modern client' } },
    "the client's name is"
  )

  const session = await openSession(app)
  await callTool(
    app,
    'legacy',
    'authenticate_agent',
    { agent_id: 'research-9', agent_type: 'researcher', api_key: prefix.api_key },
    session
  )
  t.match((await callTool(app, 'legacy', 'get_usage_guidance', {}, session)).structuredContent, {
    agent_info: { agent_id: 'research-9' }
  })
  await ok(app, 'revoke_api_key', { key_id: prefix.key_id }, ADMIN)
  for (let tries = 0; ; tries++) {
    const { said } = await callTool(app, 'legacy', 'list_sessions', {}, session)
    if (said.success === false || tries > 300) {
      t.match(said, { code: 'TOKEN_REVOKED' }, 'an MCP session ends with the key its token was made with')
      break
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
})

t.test('a revoked key, and what was made with it', async t => {
  const other = await startApp(t, {}, { url: app.url })
  const { api_key, key_id } = await key()
  const token = (await authenticate(api_key)).body.token as string
  const refreshed = (await ok(app, 'refresh_token', {}, { token: (await authenticate(api_key)).body.token }))
    .token as string
  for (const on of [app, other])
    for (const as of [by(api_key, 'research-1'), { token }, { token: refreshed }])
      t.match(await ok(on, 'list_sessions', {}, as), { success: true })
  t.same(await ok(app, 'revoke_api_key', { key_id }, ADMIN), { success: true, key_id, revoked: true })
  t.match(await ok(app, 'revoke_api_key', { key_id }, ADMIN), { revoked: false }, 'again')
  for (const on of [app, other]) {
    isFailure(t, await refused(by(api_key, 'research-1'), on), 'INVALID_API_KEY')
    for (const one of [token, refreshed]) isFailure(t, await refused({ token: one }, on), 'TOKEN_REVOKED')
  }
  isFailure(t, await authenticate(api_key), 'INVALID_API_KEY')
  isFailure(t, await call(app, 'refresh_token', {}, { token: refreshed }), 'TOKEN_REVOKED')
  const later = await startApp(t, {}, { url: app.url })
  isFailure(
    t,
    await call(later, 'list_sessions', {}, { token }),
    'TOKEN_REVOKED',
    'on a replica that starts afterwards'
  )
  isFailure(t, await call(later, 'list_sessions', {}, by(api_key, 'research-1')), 'INVALID_API_KEY')
  isFailure(t, await call(app, 'revoke_api_key', { key_id: 'key_0123456789abcdef' }, ADMIN), 'API_KEY_NOT_FOUND')
})

t.test('a key with an end', async t => {
  const { api_key } = await key({ expires_in: 5 })
  const { body } = await authenticate(api_key)
  t.ok(body.expires_in <= 5, 'a token does not outlive it')
  isFailure(t, await refused({ token: body.token }), 'TOKEN_EXPIRED')
  isFailure(t, await refused(by(api_key, 'research-1')), 'INVALID_API_KEY')
  isFailure(t, await authenticate(api_key), 'INVALID_API_KEY')
})

t.test('an admin by a key of its own', async t => {
  const session_id = await newSession(app)
  const admin = await key({ agent_id: 'deputy', permissions: ['admin'], expires_in: 3600 })
  const as = by(admin.api_key, 'deputy')
  const made = await key({ permissions: ['admin'] }, as)
  t.equal(made.expires_at, admin.expires_at, 'none outlives its own')
  t.ok((await key({ expires_in: 60 }, as)).expires_at < admin.expires_at)
  t.match(
    (await ok(app, 'list_api_keys', { limit: 200 }, as)).keys.find(({ key_id }: Key) => key_id === made.key_id),
    { created_by: 'deputy', created_with: admin.key_id }
  )

  const token = (
    await call(
      app,
      'authenticate_agent',
      { agent_id: 'deputy', agent_type: 'researcher', requested_permissions: ['admin'] },
      as
    )
  ).body.token
  for (const limited of [as, { token }]) {
    for (const [tool, args] of [
      ['create_api_key', { agent_id: 'x', agent_type: 'y' }],
      ['list_api_keys', {}],
      ['revoke_api_key', { key_id: made.key_id }]
    ] as const) {
      const answer = await call(app, tool, { ...args, workspace: 'acme' }, limited)
      isFailure(t, answer, 'PERMISSION_DENIED', `${tool} in another workspace`)
      t.match(answer.body.context, { argument: 'workspace' })
    }
  }
  const ofSession = await key({ agent_id: 'clerk', permissions: ['admin'], sessions: [session_id] })
  const clerk = by(ofSession.api_key)
  t.same((await key({}, clerk)).sessions, [session_id], 'who is limited to sessions hands on no others')
  isFailure(
    t,
    await call(app, 'create_api_key', { agent_id: 'x', agent_type: 'y', sessions: [await newSession(app)] }, clerk),
    'SESSION_NOT_FOUND'
  )
  isFailure(t, await call(app, 'revoke_api_key', { key_id: made.key_id }, clerk), 'API_KEY_NOT_FOUND')
  t.ok(
    (await ok(app, 'list_api_keys', {}, clerk)).keys.every(
      ({ sessions }: { sessions: string[] }) => sessions.join() === session_id
    )
  )
  isFailure(t, await call(app, 'revoke_token', { agent_id: 'boss' }, clerk), 'PERMISSION_DENIED')
  isFailure(
    t,
    await call(
      app,
      'create_api_key',
      { agent_id: 'x', agent_type: 'y', sessions: ['session_0000000000000000'] },
      ADMIN
    ),
    'SESSION_NOT_FOUND'
  )
})

t.test('workspaces, which the operator names', async t => {
  const token = (
    await call(
      app,
      'authenticate_agent',
      { agent_id: 'boss', agent_type: 't', requested_permissions: ['admin'], api_key: ADMIN_API_KEY },
      { anonymous: true }
    )
  ).body.token
  const theirs = await key({ agent_id: '*', permissions: ['admin'], workspace: 'acme' })
  t.equal((await key({ workspace: 'acme' }, { token })).workspace, 'acme', 'by a token too')
  const as = by(theirs.api_key, 'theirs')
  const ours = await newSession(app)
  isFailure(t, await call(app, 'get_session', { session_id: ours }, as), 'SESSION_NOT_FOUND')
  const session_id = await newSession(app, as)
  isFailure(t, await call(app, 'get_session', { session_id }), 'SESSION_NOT_FOUND')
  isFailure(
    t,
    await call(app, 'create_api_key', { agent_id: 'x', agent_type: 'y', sessions: [session_id] }, ADMIN),
    'SESSION_NOT_FOUND'
  )
  t.ok(
    (await ok(app, 'list_api_keys', { limit: 200 }, as)).keys.every(
      ({ workspace }: { workspace: string }) => workspace === 'acme'
    )
  )
  t.notOk(
    (await ok(app, 'list_api_keys', { limit: 200 }, ADMIN)).keys.some(
      ({ workspace }: { workspace: string }) => workspace === 'acme'
    )
  )
  t.ok((await ok(app, 'list_api_keys', { workspace: 'acme' }, ADMIN)).count >= 2)
  isFailure(
    t,
    await call(app, 'revoke_api_key', { key_id: theirs.key_id }, ADMIN),
    'API_KEY_NOT_FOUND',
    'not without its name'
  )

  await call(app, 'authenticate_agent', { agent_id: 'theirs', agent_type: 'researcher' }, as)
  const audited = async (who: As) =>
    (await ok(app, 'get_audit_log', { agent_id: 'theirs', limit: 1000 }, who)).entries.map(
      ({ event_type }: { event_type: string }) => event_type
    )
  t.ok((await audited(as)).includes('agent_authenticated'), 'what its agents do is in its own audit')
  t.same(await audited(ADMIN), [], 'and in no other')
  t.ok(
    (await ok(app, 'get_audit_log', { event_type: 'api_key_created' }, as)).entries.some(
      ({ resource }: { resource: string }) => resource === `api_key:${theirs.key_id}`
    ),
    'its keys too'
  )
  for (const workspace of ['Acme', 'a b', '-a', 'a:b', 'x'.repeat(64)])
    isFailure(t, await call(app, 'list_api_keys', { workspace }, ADMIN), 'INVALID_INPUT', workspace)
  t.match(await ok(app, 'revoke_api_key', { key_id: theirs.key_id, workspace: 'acme' }, ADMIN), { revoked: true })
})

t.test('SHARED_API_KEY=off', async t => {
  const off = await startApp(t, { SHARED_API_KEY: 'off' }, { url: app.url })
  const old = (
    await call(app, 'authenticate_agent', { agent_id: 'a', agent_type: 'b', api_key: API_KEY }, { anonymous: true })
  ).body.token as string
  const session = await openSession(app)
  await callTool(app, 'legacy', 'authenticate_agent', { agent_id: 'a', agent_type: 'b', api_key: API_KEY }, session)
  isFailure(t, await call(off, 'list_sessions'), 'INVALID_API_KEY')
  isFailure(t, await call(off, 'list_sessions', {}, ADMIN), 'INVALID_API_KEY', "nor the operator's")
  isFailure(t, await call(off, 'list_sessions', {}, { token: old }), 'INVALID_TOKEN', 'nor a token made with it')
  t.match((await callTool(off, 'legacy', 'list_sessions', {}, session)).said, { code: 'TOKEN_REVOKED' })
  const { api_key } = await key()
  const token = (await authenticate(api_key)).body.token as string
  t.match(await ok(off, 'list_sessions', {}, by(api_key, 'research-1')), { success: true })
  t.match(await ok(off, 'list_sessions', {}, { token }), { success: true })
})

t.test('no key is in a log or an audit row', async t => {
  const loud = await startApp(t, { LOG_LEVEL: 'trace' }, { url: app.url })
  const { api_key, key_id } = await key({}, ADMIN, loud)
  const { token } = (
    await call(
      loud,
      'authenticate_agent',
      { agent_id: 'research-1', agent_type: 'researcher', api_key },
      { anonymous: true }
    )
  ).body
  await call(loud, 'list_sessions', {}, by(api_key, 'other'))
  await call(loud, 'list_sessions', {}, by(forge(api_key), 'research-1'))
  await ok(loud, 'revoke_api_key', { key_id }, ADMIN)
  const written = JSON.stringify([
    loud.logged,
    await loud.database.db.selectFrom('audit_log').selectAll().execute(),
    await loud.database.db.selectFrom('idempotency_keys').selectAll().execute()
  ])
  for (const secret of [api_key, api_key.slice(21), forge(api_key), token]) notIn(t, written, secret)
})

function notIn(t: Test, text: string, secret: string): void {
  t.notOk(text.includes(secret))
}
