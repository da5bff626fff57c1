import t from 'tap'
import { ADMIN_API_KEY, API_KEY, type As, call, newSession, ok, startApp, type TestApp } from '../helper.js'
import { callTool, openSession } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'

/** Tokens that are made narrower for somebody else, and try to be wider again. */

const app = await startApp(t)
const ADMIN: As = { admin: true, agent_id: 'boss' }
const one = await newSession(app)
const two = await newSession(app)

async function authenticate(args: Record<string, unknown> = {}): Promise<string> {
  return (
    await ok(
      app,
      'authenticate_agent',
      { agent_id: 'planner', agent_type: 'kind', api_key: API_KEY, ...args },
      { anonymous: true }
    )
  ).token
}
const make = (token: string, args: Record<string, unknown> = {}) => call(app, 'create_token', args, { token })
const made = async (token: string, args: Record<string, unknown> = {}) => ok(app, 'create_token', args, { token })

async function refused(token: string, on: TestApp = app) {
  for (let tries = 0; ; tries++) {
    const answer = await call(on, 'list_sessions', { limit: 1 }, { token })
    if (answer.status !== 200 || tries > 300) return answer
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

t.test('fewer permissions, some sessions, a shorter time, a name below', async t => {
  const token = await authenticate()
  const narrow = await made(token, {
    agent_id: 'planner/helper',
    permissions: ['read'],
    sessions: [one],
    expires_in: 60
  })
  t.match(narrow, {
    agent_id: 'planner/helper',
    agent_type: 'kind',
    permissions: ['read'],
    sessions: [one],
    token_type: 'Bearer'
  })
  t.ok(narrow.expires_in <= 60)
  t.same(
    (await ok(app, 'list_sessions', {}, { token: narrow.token })).sessions.map(({ id }: { id: string }) => id),
    [one]
  )
  isFailure(t, await call(app, 'get_session', { session_id: two }, { token: narrow.token }), 'SESSION_NOT_FOUND')
  isFailure(
    t,
    await call(app, 'add_message', { session_id: one, content: 'x' }, { token: narrow.token }),
    'PERMISSION_DENIED'
  )
  t.match(
    await made(token),
    { agent_id: 'planner', permissions: ['read', 'write'], sessions: null },
    'the same, if nothing is asked for'
  )
  isFailure(t, await make(token, { agent_id: 'another' }), 'PERMISSION_DENIED')
  isFailure(t, await make(token, { agent_id: 'planner-2' }), 'PERMISSION_DENIED')
  isFailure(
    t,
    await call(app, 'create_token', {}, {}),
    'AUTHENTICATION_REQUIRED',
    'a key makes its tokens by authenticate_agent'
  )
})

t.test('it cannot be made wider', async t => {
  const admin = await authenticate({ api_key: ADMIN_API_KEY, requested_permissions: ['read', 'write', 'admin'] })
  const narrow = (await made(admin, { permissions: ['read'], sessions: [one], expires_in: 60 })).token as string
  const tries = [
    await made(narrow, { permissions: ['read', 'write', 'admin'], expires_in: 3600 }),
    await ok(app, 'refresh_token', {}, { token: narrow })
  ]
  for (const { permissions, sessions, expires_in } of tries) {
    t.same({ permissions, sessions }, { permissions: ['read'], sessions: [one] })
    t.ok(expires_in <= 60)
  }
  isFailure(t, await make(tries[1].token, { sessions: [two] }), 'SESSION_NOT_FOUND')
  isFailure(t, await make(tries[1].token, { sessions: [one, two] }), 'SESSION_NOT_FOUND')
  isFailure(t, await make(tries[1].token, { permissions: ['write'], agent_id: 'boss' }), 'PERMISSION_DENIED')
  isFailure(
    t,
    await call(app, 'authenticate_agent', { agent_id: 'planner', agent_type: 'kind' }, { token: tries[1].token }),
    'INVALID_API_KEY',
    'nor without a key'
  )

  const deputy = (await made(admin, { permissions: ['admin'] })).token as string
  isFailure(
    t,
    await call(app, 'create_api_key', { agent_id: 'x', agent_type: 'y' }, { token: deputy }),
    'PERMISSION_DENIED',
    'nor by a key, which would outlive it'
  )
  isFailure(
    t,
    await call(app, 'list_api_keys', { workspace: 'acme' }, { token: deputy }),
    'PERMISSION_DENIED',
    "nor is it the operator's"
  )
  const writer = await authenticate({ requested_permissions: ['write'] })
  isFailure(t, await make(writer, { permissions: ['read'] }), 'PERMISSION_DENIED', 'not even read')
  const short = await authenticate({ expires_in: 60 })
  t.ok((await ok(app, 'refresh_token', {}, { token: short })).expires_in <= 60, 'nor longer')
})

t.test('authenticate_agent narrows too', async t => {
  const answer = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'a', agent_type: 'b', api_key: API_KEY, sessions: [two], expires_in: 30 },
    { anonymous: true }
  )
  t.match(answer, { sessions: [two] })
  t.ok(answer.expires_in <= 30)
  isFailure(t, await call(app, 'get_session', { session_id: one }, { token: answer.token }), 'SESSION_NOT_FOUND')
  const { api_key } = await ok(app, 'create_api_key', { agent_id: '*', agent_type: 'b', sessions: [one] }, ADMIN)
  isFailure(
    t,
    await call(
      app,
      'authenticate_agent',
      { agent_id: 'a', agent_type: 'b', api_key, sessions: [two] },
      { anonymous: true }
    ),
    'SESSION_NOT_FOUND'
  )

  const session = await openSession(app)
  await callTool(
    app,
    'legacy',
    'authenticate_agent',
    { agent_id: 'a', agent_type: 'b', api_key: API_KEY, sessions: [two] },
    session
  )
  t.match(
    (await callTool(app, 'legacy', 'get_session', { session_id: one }, session)).said,
    { code: 'SESSION_NOT_FOUND' },
    'an MCP session is as narrow'
  )
  const helper = (await callTool(app, 'legacy', 'create_token', { agent_id: 'a/b' }, session)).structuredContent
  t.match(helper, { agent_id: 'a/b', sessions: [two] })
  t.match(
    (await callTool(app, 'legacy', 'get_usage_guidance', {}, session)).structuredContent,
    { agent_info: { agent_id: 'a' } },
    'and does not become the helper'
  )
})

t.test('which names a key lets a token give', async t => {
  const key = async (agent_id: string) =>
    (await ok(app, 'create_api_key', { agent_id, agent_type: 'kind' }, ADMIN)).api_key as string
  const prefix = await authenticate({ api_key: await key('plan*') })
  t.match(await made(prefix, { agent_id: 'plan-b' }), { agent_id: 'plan-b' })
  isFailure(t, await make(prefix, { agent_id: 'other' }), 'PERMISSION_DENIED')
  isFailure(
    t,
    await make((await made(prefix)).token, { agent_id: 'plan-b' }),
    'PERMISSION_DENIED',
    'a narrowed one names nobody beside it'
  )
  t.match(await made((await made(prefix)).token, { agent_id: 'planner/x' }), { agent_id: 'planner/x' })
  isFailure(
    t,
    await make(await authenticate({ api_key: await key('planner') }), { agent_id: 'planner/x' }),
    'PERMISSION_DENIED',
    'a key for one name is for no other'
  )
})

t.test('revoked with the token it was made from', async t => {
  const other = await startApp(t, {}, { url: app.url })
  const first = await authenticate()
  const child = (await made(first, { agent_id: 'planner/1' })).token as string
  const grandchild = (await made(child, { agent_id: 'planner/1/1' })).token as string
  const renewed = (await ok(app, 'refresh_token', {}, { token: first })).token as string
  for (const token of [child, grandchild])
    t.match(await ok(other, 'list_sessions', {}, { token }), { success: true }, 'a refresh of it changes nothing')
  const childAgain = (await ok(app, 'refresh_token', {}, { token: child })).token as string
  t.match(await ok(app, 'revoke_token', {}, { token: renewed }), { revoked: 3 })
  for (const on of [app, other])
    for (const token of [renewed, childAgain, grandchild]) isFailure(t, await refused(token, on), 'TOKEN_REVOKED')

  const again = await authenticate({ agent_id: 'chief' })
  const below = (await made(again, { agent_id: 'chief/1' })).token as string
  t.match(await ok(app, 'revoke_token', { agent_id: 'chief' }, ADMIN), { revoked: 2 }, 'by an admin too')
  isFailure(t, await refused(below), 'TOKEN_REVOKED')
})

t.test('made at the moment the other is revoked', async t => {
  for (let round = 0; round < 10; round++) {
    const parent = await authenticate({ agent_id: `parent-${round}` })
    const [answer] = await Promise.all([make(parent), ok(app, 'revoke_token', {}, { token: parent })])
    if (answer.status === 200) isFailure(t, await refused(answer.body.token), 'TOKEN_REVOKED')
    else t.equal(answer.body.code, 'TOKEN_REVOKED')
  }
})
