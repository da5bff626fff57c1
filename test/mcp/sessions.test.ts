import { createHash } from 'node:crypto'
import t from 'tap'
import { API_KEY, call, listen, ok, startApp } from '../helper.js'
import {
  callTool,
  connectLegacy,
  connectModern,
  eventually,
  initialize,
  openSession,
  post,
  request,
  saidBy,
  VERSIONS
} from './clients.js'
import { token } from '../support/samples.js'

const app = await startApp(t)
const { db } = app.database
const authenticate = { agent_id: 'bound', agent_type: 'reviewer', api_key: API_KEY }
const guidance = async (headers: Record<string, string>) => callTool(app, 'legacy', 'get_usage_guidance', {}, headers)

t.test('initialize answers with the version asked for, and opens a session', async t => {
  for (const version of VERSIONS.slice(0, -1)) {
    const { headers, body } = await post(app, initialize('a client', version))
    t.equal(body.result.protocolVersion, version)
    t.match(body.result, {
      serverInfo: { name: 'shared-context-server' },
      capabilities: { tools: {}, resources: {}, prompts: {} },
      instructions: /authenticate_agent/
    })
    t.match(headers['mcp-session-id'], /^[\w-]{43}$/)
  }
  t.equal(
    (await post(app, initialize('a client', '1999-01-01'))).body.result.protocolVersion,
    '2025-11-25',
    'the latest, for one that does not exist'
  )
})

t.test('only a hash of the id is kept', async t => {
  const { 'mcp-session-id': id } = await openSession(app, 'kept')
  const row = await db
    .selectFrom('mcp_sessions')
    .selectAll()
    .where('client_name', '=', 'kept')
    .executeTakeFirstOrThrow()
  t.same(
    row.id_hash,
    createHash('sha256')
      .update(id as string)
      .digest()
  )
  t.match(row, { protocol_version: '2025-11-25', agent_id: null })
  t.notMatch(JSON.stringify(row), id)
})

t.test('who authenticates in a session is that agent in it, and nowhere else', async t => {
  const session = await openSession(app)
  const other = await openSession(app)
  await callTool(app, 'legacy', 'authenticate_agent', authenticate, session)
  t.match((await guidance(session)).structuredContent.agent_info, {
    agent_id: 'bound',
    agent_type: 'reviewer',
    permissions: ['read', 'write']
  })
  t.equal((await guidance(other)).structuredContent.agent_info, null)
  t.equal((await guidance({})).structuredContent.agent_info, null)
  t.match((await callTool(app, 'legacy', 'create_session', { purpose: 'mine' }, session)).structuredContent, {
    created_by: 'bound'
  })
  t.notOk(
    'auth_token' in
      (await request(app, 'legacy', 'tools/list', {}, session)).body.result.tools[3].inputSchema.properties
  )
  t.match(
    (await guidance({ ...session, 'x-api-key': API_KEY, 'x-agent-id': 'by-key' })).structuredContent.agent_info,
    { agent_id: 'bound' },
    'the session comes before the key'
  )

  await callTool(app, 'legacy', 'authenticate_agent', { ...authenticate, agent_id: 'another' }, session)
  t.equal(
    (await guidance(session)).structuredContent.agent_info.agent_id,
    'another',
    'who authenticates again is the new one'
  )
})

t.test('the identity ends with its token, and the answer says what to do', async t => {
  const session = await openSession(app)
  const {
    structuredContent: { token }
  } = await callTool(app, 'legacy', 'authenticate_agent', authenticate, session)
  await ok(app, 'revoke_token', {}, { token })
  const revoked = await eventually(
    async () => callTool(app, 'legacy', 'list_sessions', {}, { ...session, 'x-api-key': API_KEY }),
    result => result.isError === true
  )
  t.match(
    revoked.said,
    { code: 'TOKEN_REVOKED', suggestions: [/authenticate_agent again/] },
    'and never falls back to the key'
  )
  t.equal((await request(app, 'legacy', 'tools/list', {}, session)).status, 200, 'a session is no token in a header')
  await callTool(app, 'legacy', 'authenticate_agent', authenticate, session)
  t.equal((await guidance(session)).structuredContent.agent_info.agent_id, 'bound')

  await db
    .updateTable('mcp_sessions')
    .set({ token_expires_at: new Date(Date.now() - 1000).toISOString() })
    .where('agent_id', '=', 'bound')
    .execute()
  t.match((await callTool(app, 'legacy', 'list_sessions', {}, session)).said, {
    code: 'TOKEN_EXPIRED',
    suggestions: [/authenticate_agent again/]
  })
})

t.test('refresh_token in a session: it goes on as the same agent', async t => {
  const session = await openSession(app)
  await callTool(app, 'legacy', 'authenticate_agent', { ...authenticate, agent_id: 'refresher' }, session)
  const { structuredContent } = await callTool(app, 'legacy', 'refresh_token', {}, session)
  t.match(structuredContent, { success: true, agent_id: 'refresher' })
  t.match((await call(app, 'list_sessions', {}, { token: structuredContent.token })).body, { success: true })
  t.equal((await guidance(session)).structuredContent.agent_info.agent_id, 'refresher')
})

t.test('DELETE ends a session; an unknown one is 404', async t => {
  const session = await openSession(app)
  const end = async (headers: Record<string, string>) => app.server.inject({ method: 'DELETE', url: '/mcp', headers })
  t.equal((await end(session)).statusCode, 200)
  t.match(await request(app, 'legacy', 'tools/list', {}, session), {
    status: 404,
    body: {
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32001, data: { success: false, code: 'SESSION_NOT_FOUND', suggestions: [/initialize/] } }
    }
  })
  t.equal((await post(app, { jsonrpc: '2.0', method: 'notifications/initialized' }, session)).status, 404)
  t.equal((await end(session)).statusCode, 404)
  t.match((await end({})).json(), { jsonrpc: '2.0', error: { data: { code: 'INVALID_INPUT' } } })
  const again = await post(app, initialize(), session)
  t.equal(again.status, 200, 'initialize does not mind')
  t.not(again.headers['mcp-session-id'], session['mcp-session-id'])
})

t.test('only its own caller ends a session', async t => {
  const end = async (headers: Record<string, string>) => {
    const { statusCode, body } = await app.server.inject({ method: 'DELETE', url: '/mcp', headers })
    return { status: statusCode, words: body === '' ? '' : (JSON.parse(body).error.message as string) }
  }
  const as = (agent_id: string) => ({ 'x-api-key': API_KEY, 'x-agent-id': agent_id })
  const unknown = await end({ 'mcp-session-id': 'unknown' })
  const bearer = { authorization: `Bearer ${await token(app, 'owner')}` }

  const opened = await openSession(app, 'a client', as('owner'))
  for (const other of [
    {},
    as('another'),
    { 'x-api-key': API_KEY },
    { authorization: `Bearer ${await token(app, 'b')}` }
  ] as Array<Record<string, string>>)
    t.same(await end({ ...opened, ...other }), unknown, 'in the words of an unknown one')
  t.equal((await request(app, 'legacy', 'ping', {}, { ...opened, ...as('owner') })).status, 200, 'it goes on')
  t.equal((await end({ ...opened, ...bearer })).status, 200, 'the same agent by its token')

  const named = await openSession(app, 'by its name', { 'x-api-key': API_KEY })
  t.equal((await end({ ...named, 'x-api-key': API_KEY })).status, 200, 'named after the client')

  const authenticated = await openSession(app)
  await callTool(
    app,
    'legacy',
    'authenticate_agent',
    { agent_id: 'owner', agent_type: 'x', api_key: API_KEY },
    authenticated
  )
  t.same(await end({ ...authenticated, ...as('another') }), unknown)
  t.equal((await end(authenticated)).status, 200, 'its id alone is its credential')

  const nobodys = await openSession(app)
  t.equal((await end({ ...nobodys, ...as('another') })).status, 200, 'of a client that has credentials by now')
})

t.test('an idle session is gone', async t => {
  const session = await openSession(app, 'idle')
  await db
    .updateTable('mcp_sessions')
    .set({ last_seen_at: new Date(Date.now() - 25 * 3_600_000).toISOString() })
    .where('client_name', '=', 'idle')
    .execute()
  t.equal((await request(app, 'legacy', 'tools/list', {}, session)).status, 404)
})

t.test('real clients: authenticate, go on without a token, find the session ended, begin anew', async t => {
  const base = await listen(app)
  for (const connect of [
    connectLegacy,
    async (...args: Parameters<typeof connectLegacy>) => connectModern(args[0], args[1], args[2], '2025-11-25')
  ]) {
    const { client, transport } = await connect(t, `${base}/mcp`)
    await client.listTools()
    t.match(saidBy(await client.callTool({ name: 'create_session', arguments: { purpose: 'x' } })), {
      code: 'AUTHENTICATION_REQUIRED'
    })
    await client.callTool({ name: 'authenticate_agent', arguments: authenticate })
    t.match(await client.callTool({ name: 'create_session', arguments: { purpose: 'x' } }), {
      structuredContent: { created_by: 'bound' }
    })
    const id = transport.sessionId as string
    await app.server.inject({ method: 'DELETE', url: '/mcp', headers: { 'mcp-session-id': id } })
    await t.rejects(client.listTools(), /404|no MCP session/)
    const anew = await connect(t, `${base}/mcp`)
    t.not(anew.transport.sessionId, id)
    t.ok((await anew.client.listTools()).tools.length > 20)
    await anew.transport.terminateSession()
    t.equal(anew.transport.sessionId, undefined)
  }
})
