import {
  auth,
  discoverOAuthProtectedResourceMetadata,
  type OAuthClientProvider
} from '@modelcontextprotocol/sdk/client/auth.js'
import t, { type Test } from 'tap'
import { ADMIN_API_KEY, API_KEY, call, listen, startApp } from '../helper.js'
import { AUDIENCE, startIssuer } from '../support/issuer.js'
import { callTool, openSession, request, saidBy } from './clients.js'

/** What an OAuth client is told: where the issuer is, if there is one, and nothing that leads nowhere. */

const issuer = await startIssuer(t)
const app = await startApp(t, {
  OIDC_ISSUER: issuer.url,
  OIDC_AUDIENCE: AUDIENCE,
  ALLOWED_HOSTS: '127.0.0.1,localhost,context.test'
})
const base = await listen(app)
const plain = await startApp(t, {}, { url: app.url })
const plainBase = await listen(plain)
const PATHS = ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']

const expected = (origin: string) => ({
  resource: `${origin}/mcp`,
  authorization_servers: [issuer.url],
  scopes_supported: ['read', 'write'],
  bearer_methods_supported: ['header'],
  resource_name: 'shared-context-server'
})

t.test('the metadata of the resource', async t => {
  for (const path of PATHS) {
    const response = await fetch(`${base}${path}`)
    t.equal(response.status, 200)
    t.match(response.headers.get('content-type'), /^application\/json/)
    t.same(await response.json(), expected(base))
    const named = await app.server.inject({ url: path, headers: { host: 'Context.test:8443' } })
    t.same(named.json(), expected('http://context.test:8443'), 'as the client reaches it')
    t.equal(
      (await app.server.inject({ url: path, headers: { host: 'evil.test' } })).statusCode,
      403,
      'a host that is not allowed is named to nobody'
    )
  }
  t.match(await discoverOAuthProtectedResourceMetadata(`${base}/mcp`), { resource: `${base}/mcp` }, 'the SDK takes it')
})

t.test('PUBLIC_URL is what clients are told, whatever host they name; the audience follows it', async t => {
  const named = await startApp(
    t,
    {
      OIDC_ISSUER: issuer.url,
      PUBLIC_URL: 'https://Context.my-company.org/',
      OIDC_PERMISSIONS_CLAIM: 'roles',
      OIDC_PERMISSIONS_MAP: 'ops=admin'
    },
    { url: app.url }
  )
  const { authorization_servers, bearer_methods_supported, resource_name } = expected('')
  for (const url of PATHS) {
    t.same(
      (await named.server.inject({ url, headers: { host: '127.0.0.1' } })).json(),
      {
        resource: 'https://context.my-company.org/mcp',
        authorization_servers,
        bearer_methods_supported,
        resource_name
      },
      'roles are no scopes to ask for'
    )
  }
  const answer = await call(
    named,
    'list_sessions',
    {},
    { token: issuer.token({ aud: 'https://context.my-company.org/mcp', roles: ['ops'] }) }
  )
  t.equal(answer.status, 200)
  const refused = await call(named, 'list_sessions', {}, { token: issuer.token() })
  t.equal(
    refused.headers['www-authenticate'],
    'Bearer error="invalid_token", ' +
      'resource_metadata="https://context.my-company.org/.well-known/oauth-protected-resource/mcp"'
  )
})

t.test('a host that is none cannot get into the header', async t => {
  const open = await startApp(
    t,
    { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE, ALLOWED_HOSTS: '*' },
    { url: app.url }
  )
  for (const host of ['a", error="x', 'a b', 'a/b', 'a@b']) {
    const { headers } = await call(open, 'list_sessions', {}, { anonymous: true, headers: { host } })
    t.equal(headers['www-authenticate'], 'Bearer scope="read write"', host)
    t.equal((await open.server.inject({ url: PATHS[0], headers: { host } })).statusCode, 404)
  }
})

const metadata = `resource_metadata="${base}/.well-known/oauth-protected-resource/mcp"`

t.test('REST says where to get a token, and which scope is missing', async t => {
  const post = async (tool: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${base}/mcp/tool/${tool}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"purpose":"x"}'
    })
    return { status: response.status, asked: response.headers.get('www-authenticate') }
  }
  t.same(await post('create_session'), { status: 401, asked: `Bearer scope="read write", ${metadata}` })
  t.same(await post('create_session', { authorization: 'Bearer x' }), {
    status: 401,
    asked: `Bearer error="invalid_token", scope="read write", ${metadata}`
  })
  t.same(await post('create_session', { authorization: `Bearer ${issuer.token({ scope: 'read' })}` }), {
    status: 403,
    asked: `Bearer error="insufficient_scope", scope="write", ${metadata}`
  })
  t.same(
    await post('get_audit_log', { authorization: `Bearer ${issuer.token()}` }),
    { status: 403, asked: null },
    'no scope means admin here'
  )
  t.same(await post('create_session', { authorization: `Bearer ${issuer.token()}` }), { status: 200, asked: null })
})

for (const era of ['legacy', 'modern'] as const) {
  t.test(
    `${era}: a call without credentials is 401 where there is an issuer, and a result where there is none`,
    async t => {
      const list = { name: 'list_sessions', arguments: {} }
      const refused = await request(app, era, 'tools/call', list)
      t.match(refused, {
        status: 401,
        body: { jsonrpc: '2.0', id: 1, error: { data: { code: 'AUTHENTICATION_REQUIRED' } } }
      })
      t.match(
        refused.headers['www-authenticate'],
        /^Bearer scope="read write", resource_metadata="http:\/\/[^"]+\/\.well-known\/oauth-protected-resource\/mcp"$/
      )
      const there = await request(plain, era, 'tools/call', list)
      t.match(there, { status: 200, body: { result: { isError: true } } })
      t.match(saidBy(there.body.result), { code: 'AUTHENTICATION_REQUIRED' })

      t.equal((await request(app, era, 'tools/list')).status, 200, 'tools are listed to everybody')
      t.equal((await request(app, era, 'resources/list')).status, 200)
      t.match(
        (await callTool(app, era, 'get_usage_guidance', {})).structuredContent,
        { success: true },
        'what needs nobody is answered'
      )
      const issued = (
        await callTool(app, era, 'authenticate_agent', { agent_id: 'a', agent_type: 't', api_key: API_KEY })
      ).structuredContent
      for (const [what, headers, args] of [
        ['a token of ours', { authorization: `Bearer ${issued.token}` }, {}],
        ['a token of the issuer', { authorization: `Bearer ${issuer.token()}` }, {}],
        ['a key', { 'x-api-key': API_KEY }, {}],
        ['a token as an argument', {}, { auth_token: issuer.token() }]
      ] as const)
        t.match((await callTool(app, era, 'list_sessions', args, headers)).structuredContent, { success: true }, what)
      t.match(await callTool(app, era, 'list_sessions', { auth_token: 'bad' }), {
        isError: true,
        said: { code: 'INVALID_TOKEN' }
      })
      t.match(
        await request(app, era, 'tools/call', { name: 'list_sessions', arguments: { auth_token: null } }),
        { status: 401 },
        'null is absent'
      )
      const bad = await request(app, era, 'tools/list', {}, { authorization: `Bearer ${issuer.token({ aud: 'x' })}` })
      t.match(bad, {
        status: 401,
        headers: { 'www-authenticate': /^Bearer error="invalid_token", scope="read write", resource_metadata="http/ }
      })
    }
  )
}

t.test('a 2025-era connection that has authenticated is somebody', async t => {
  const session = await openSession(app, 'a client')
  t.equal((await request(app, 'legacy', 'tools/call', { name: 'list_sessions', arguments: {} }, session)).status, 401)
  await callTool(
    app,
    'legacy',
    'authenticate_agent',
    { agent_id: 'a', agent_type: 't', api_key: ADMIN_API_KEY },
    session
  )
  t.match((await callTool(app, 'legacy', 'list_sessions', {}, session)).structuredContent, { success: true })
})

t.test('without an issuer there is no metadata, and no challenge that names any', async t => {
  for (const path of [...PATHS, '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])
    t.equal((await fetch(`${plainBase}${path}`)).status, 404, path)
  await t.rejects(discoverOAuthProtectedResourceMetadata(`${plainBase}/mcp`))
  const response = await fetch(`${plainBase}/mcp/tool/list_sessions`, {
    method: 'POST',
    headers: { authorization: 'Bearer x' }
  })
  t.equal(response.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

/** As much of an OAuth client as comes before somebody signs in. */
function provider(): OAuthClientProvider & { sentTo: URL[] } {
  const sentTo: URL[] = []
  return {
    sentTo,
    redirectUrl: 'http://localhost:9999/callback',
    clientMetadata: { redirect_uris: ['http://localhost:9999/callback'] },
    clientInformation: () => ({ client_id: 'a-client' }),
    tokens: () => undefined,
    saveTokens() {},
    redirectToAuthorization(url: URL) {
      sentTo.push(url)
    },
    saveCodeVerifier() {},
    codeVerifier: () => 'x'.repeat(43)
  }
}

t.test('a client of the SDK finds its way from a refused call to the issuer', async (t: Test) => {
  const refused = await fetch(`${base}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'list_sessions', arguments: {} }
    })
  })
  t.equal(refused.status, 401)
  const [, resourceMetadataUrl = '', scope] = [/resource_metadata="([^"]+)"/, /scope="([^"]+)"/].reduce<string[]>(
    (all, pattern) => [...all, pattern.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? ''],
    ['']
  )
  const client = provider()
  t.equal(
    await auth(client, { serverUrl: `${base}/mcp`, resourceMetadataUrl: new URL(resourceMetadataUrl), scope }),
    'REDIRECT'
  )
  const [url] = client.sentTo as [URL]
  t.equal(`${url.origin}${url.pathname}`, `${issuer.url}/authorize`)
  t.equal(url.searchParams.get('resource'), `${base}/mcp`)
  t.equal(url.searchParams.get('scope'), 'read write')
})

t.test('/mcp/ and its metadata agree on the final slash', async t => {
  for (const slash of ['', '/']) {
    const { status, headers } = await request(
      app,
      'legacy',
      'tools/call',
      { name: 'list_sessions' },
      {},
      `/mcp${slash}`
    )
    t.equal(status, 401)
    t.match(String(headers['www-authenticate']), `/.well-known/oauth-protected-resource/mcp${slash}"`)
    const metadata = await fetch(`${base}/.well-known/oauth-protected-resource/mcp${slash}`).then(r => r.json())
    t.equal((metadata as { resource: string }).resource, `${base}/mcp${slash}`)
  }
})

t.test('a token for the address with or without the final slash is taken', async t => {
  for (const audience of [AUDIENCE.replace(/\/$/, ''), `${AUDIENCE.replace(/\/$/, '')}/`]) {
    const server = await startApp(t, { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: audience }, { url: app.url })
    for (const aud of [
      audience,
      audience.endsWith('/') ? audience.slice(0, -1) : `${audience}/`,
      [`${audience}`, 'x']
    ]) {
      const authorization = `Bearer ${issuer.token({ aud })}`
      t.equal((await request(server, 'legacy', 'tools/list', {}, { authorization })).status, 200, String(aud))
    }
    const authorization = `Bearer ${issuer.token({ aud: `${audience}x` })}`
    t.equal((await request(server, 'legacy', 'tools/list', {}, { authorization })).status, 401)
  }
})
