import t from 'tap'
import { ADMIN_API_KEY, API_KEY, call, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** An agent that comes with a key and a name instead of a token, or on a laptop without either. */

t.test('X-API-Key with X-Agent-Id', async t => {
  const app = await startApp(t)
  const as = (headers: Record<string, string>) => ({ anonymous: true, headers })
  const who = async (headers: Record<string, string>) =>
    (await ok(app, 'get_usage_guidance', {}, as(headers))).agent_info

  t.same(await who({ 'x-api-key': API_KEY, 'x-agent-id': 'a' }), {
    agent_id: 'a',
    agent_type: 'custom',
    permissions: ['read', 'write']
  })
  t.same(await who({ 'x-api-key': API_KEY, 'x-agent-id': ' a b ', 'x-agent-type': 'crewai' }), {
    agent_id: 'a b',
    agent_type: 'crewai',
    permissions: ['read', 'write']
  })
  t.same(await who({ 'x-api-key': ADMIN_API_KEY, 'x-agent-id': 'a' }), {
    agent_id: 'a',
    agent_type: 'custom',
    permissions: ['read', 'write', 'admin']
  })
  t.match(
    await who({ 'x-api-key': API_KEY, 'x-agent-id': Buffer.from('名前 🤖').toString('latin1') }),
    { agent_id: '名前 🤖' },
    'a name in UTF-8'
  )

  const alone = await call(app, 'list_sessions', {}, as({ 'x-api-key': API_KEY }))
  isFailure(t, alone, 'AUTHENTICATION_REQUIRED', 'the key alone')
  t.match(alone.body, { error: /X-Agent-Id/, context: { missing_header: 'X-Agent-Id' } })
  isFailure(
    t,
    await call(app, 'list_sessions', {}, as({ 'x-agent-id': 'a' })),
    'AUTHENTICATION_REQUIRED',
    'the name alone'
  )
  isFailure(
    t,
    await call(app, 'list_sessions', {}, as({ 'x-api-key': 'wrong' })),
    'INVALID_API_KEY',
    'a wrong key alone'
  )
  isFailure(
    t,
    await call(app, 'list_sessions', {}, as({ 'x-api-key': API_KEY, 'x-agent-id': 'x'.repeat(101) })),
    'INVALID_INPUT'
  )
  isFailure(t, await call(app, 'list_sessions', {}, as({ 'x-api-key': API_KEY, 'x-agent-id': '   ' })), 'INVALID_INPUT')
  isFailure(
    t,
    await call(
      app,
      'list_sessions',
      {},
      as({ 'x-api-key': API_KEY, 'x-agent-id': 'a', 'x-agent-type': 'x'.repeat(51) })
    ),
    'INVALID_INPUT'
  )
  isFailure(
    t,
    await call(app, 'refresh_token', {}, as({ 'x-api-key': API_KEY, 'x-agent-id': 'a' })),
    'AUTHENTICATION_REQUIRED',
    'a key has no token to refresh'
  )
  isFailure(
    t,
    await call(app, 'list_sessions', { auth_token: 'x' }, as({ 'x-api-key': API_KEY, 'x-agent-id': 'a' })),
    'INVALID_INPUT',
    'auth_token is for MCP'
  )
})

t.test('without an ADMIN_API_KEY nobody is an admin', async t => {
  const app = await startApp(t, { ADMIN_API_KEY: '' })
  isFailure(t, await call(app, 'get_audit_log', {}, { admin: true }), 'INVALID_API_KEY')
  isFailure(t, await call(app, 'get_audit_log'), 'PERMISSION_DENIED')
})

t.test('AUTH_ENABLED=false', async t => {
  const app = await startApp(t, { AUTH_ENABLED: 'false' })
  const who = async (headers: Record<string, string>) =>
    (await ok(app, 'get_usage_guidance', {}, { anonymous: true, headers })).agent_info
  t.same(await who({}), { agent_id: 'anonymous', agent_type: 'custom', permissions: ['read', 'write'] })
  t.same(await who({ 'x-agent-id': 'me', 'x-agent-type': 'kind' }), {
    agent_id: 'me',
    agent_type: 'kind',
    permissions: ['read', 'write']
  })
  t.match(await ok(app, 'create_session', { purpose: 'free' }, { anonymous: true }), { created_by: 'anonymous' })
  isFailure(t, await call(app, 'get_audit_log', {}, { anonymous: true }), 'PERMISSION_DENIED', 'no admin')
  isFailure(t, await call(app, 'list_sessions', {}, { token: 'None' }), 'INVALID_TOKEN', 'a bad token is still bad')
  isFailure(
    t,
    await call(app, 'list_sessions', {}, { anonymous: true, headers: { 'x-api-key': 'wrong', 'x-agent-id': 'a' } }),
    'INVALID_API_KEY'
  )
  t.match(await ok(app, 'get_audit_log', {}, { admin: true }), { success: true }, 'an admin with the key is one')
})
