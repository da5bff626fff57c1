import { createHmac, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { API_KEY, call, JWT_SECRET, listen, ok, startApp, type TestApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'
import { isFailure } from '../support/failure.js'
import { AUDIENCE, encode, newKey, type SigningKey, signWith, startIssuer } from '../support/issuer.js'
import { until } from '../support/rest.js'

/** Tokens of an outside issuer, and what is not one. */

const issuer = await startIssuer(t, { alg: 'RS256' })
/**
 * Wrong tokens are the subject here, not how many there may be, nor how soon a busy machine gives this many apps their
 * connections.
 */
const UNLIMITED = { RATE_LIMIT_FAILURES_PER_MINUTE: '0', DATABASE_POOL_MAX: '3', DATABASE_CONNECT_TIMEOUT_MS: '30000' }
const ISSUED = { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: `${AUDIENCE},other`, ...UNLIMITED }

/** Ready to answer for tokens: on a busy machine the first look at what is revoked takes a while. */
async function start(t: Test, env: Record<string, string>, on?: { url: string }): Promise<TestApp> {
  const app = await startApp(t, env, on)
  await until('what is revoked is known', () => app.server.verifiers.tokens.knownRevoked('none') === false)
  return app
}

const app = await start(t, ISSUED)
const now = Math.floor(Date.now() / 1000)

const list = (token: string, on: TestApp = app) => call(on, 'list_sessions', { limit: 1 }, { token })
const whoIs = async (token: string, on: TestApp = app) =>
  (await ok(on, 'get_usage_guidance', {}, { token })).agent_info as {
    agent_id: string
    agent_type: string
    permissions: string[]
  }

await t.test('a token of the issuer says who calls and what it may', async t => {
  t.match(await whoIs(issuer.token()), { agent_id: 'outsider', agent_type: 'oidc', permissions: ['read', 'write'] })
  t.match(await whoIs(issuer.token({ sub: 'Zoë 🚀', agent_type: 'claude', scope: 'openid write profile' })), {
    agent_id: 'Zoë 🚀',
    agent_type: 'claude',
    permissions: ['write']
  })
  t.match(await ok(app, 'create_session', { purpose: 'by an outsider' }, { token: issuer.token() }), {
    created_by: 'outsider'
  })
  const both = await Promise.all(Array.from({ length: 20 }, (_, n) => whoIs(issuer.token({ sub: `agent-${n}` }))))
  t.same(
    both.map(one => one.agent_id),
    Array.from({ length: 20 }, (_, n) => `agent-${n}`)
  )
  t.same(issuer.asked, { metadata: 1, jwks: 1 }, 'it is asked once for all')
})

// The rest wait beside each other.
t.jobs = 3

t.test('a permission comes from what is mapped, and from nothing else', async t => {
  for (const scope of [
    undefined,
    null,
    '',
    'admin',
    'READ',
    'write:all',
    7,
    true,
    { write: true },
    [['write']],
    ['admin', 5]
  ]) {
    const token = issuer.token({ scope })
    t.same((await whoIs(token)).permissions, ['read'], JSON.stringify(scope))
    isFailure(t, await call(app, 'create_session', { purpose: 'x' }, { token }), 'PERMISSION_DENIED')
  }
  isFailure(
    t,
    await call(
      app,
      'get_audit_log',
      {},
      { token: issuer.token({ scope: 'read write admin', permissions: ['admin'], roles: ['admin'] }) }
    ),
    'PERMISSION_DENIED'
  )
})

t.test('the claims have the names that the operator says', async t => {
  const named = await start(
    t,
    {
      ...ISSUED,
      OIDC_AGENT_ID_CLAIM: 'https://my-company.org/agent',
      OIDC_AGENT_TYPE_CLAIM: 'kind',
      OIDC_PERMISSIONS_CLAIM: 'realm_access.roles',
      OIDC_PERMISSIONS_MAP: 'context:write=write, Context Admins=admin,a=b=write',
      OIDC_WORKSPACE_CLAIM: 'tenant.id'
    },
    { url: app.url }
  )
  const claims = {
    'https://my-company.org/agent': 'named',
    kind: 'k',
    realm_access: { roles: ['Context Admins'] },
    scope: 'write'
  }
  t.match(await whoIs(issuer.token(claims), named), { agent_id: 'named', agent_type: 'k', permissions: ['admin'] })
  t.same((await whoIs(issuer.token({ ...claims, realm_access: { roles: ['a=b'] } }), named)).permissions, ['write'])
  t.same(
    (await whoIs(issuer.token({ ...claims, realm_access: {} }), named)).permissions,
    ['read'],
    'another claim does not stand in'
  )
  isFailure(
    t,
    await list(issuer.token({ ...claims, 'https://my-company.org/agent': undefined }), named),
    'INVALID_TOKEN'
  )

  const session = async (tenant: unknown) =>
    (await ok(named, 'create_session', { purpose: 'x' }, { token: issuer.token({ ...claims, tenant }) }))
      .session_id as string
  const [acme, none] = [await session({ id: 'acme' }), await session(undefined)]
  const { rows } = {
    rows: await named.database.db
      .selectFrom('sessions')
      .select(['id', 'workspace'])
      .where('id', 'in', [acme, none])
      .execute()
  }
  t.same(
    new Map(rows.map(({ id, workspace }) => [id, workspace])),
    new Map([
      [acme, 'acme'],
      [none, 'default']
    ])
  )
  isFailure(
    t,
    await call(named, 'get_session', { session_id: acme }, { token: issuer.token(claims) }),
    'SESSION_NOT_FOUND'
  )
  for (const id of ['', 'A', 'a/b', 'x'.repeat(64), 5, ['acme'], {}])
    isFailure(t, await list(issuer.token({ ...claims, tenant: { id } }), named), 'INVALID_TOKEN', JSON.stringify(id))
})

t.test('what is no good token of the issuer', async t => {
  const key = issuer.key()
  const head = { alg: key.alg, kid: key.kid, typ: 'at+jwt' }
  const claims = {
    iss: issuer.url,
    aud: AUDIENCE,
    sub: 'forger',
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    scope: 'read write'
  }
  t.equal((await list(signWith(key, head, claims))).status, 200, 'what the following differ from is good')
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const jwk = JSON.stringify(key.publicKey.export({ format: 'jwk' }))
  const hmac = (
    secret: string | Buffer,
    header: Record<string, unknown>,
    payload: Record<string, unknown> = claims
  ) => {
    const text = `${encode(header)}.${encode(payload)}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const stranger = newKey()
  const [, , signature] = signWith(key, head, claims).split('.') as [string, string, string]
  const bad: Record<string, string> = {
    'alg none': `${encode({ ...head, alg: 'none' })}.${encode(claims)}.`,
    'alg none with a signature': `${encode({ ...head, alg: 'none' })}.${encode(claims)}.${signature}`,
    'HS256 with the public key as the secret': hmac(pem, { ...head, alg: 'HS256' }),
    'HS256 with the public key in DER': hmac(key.publicKey.export({ type: 'spki', format: 'der' }), {
      ...head,
      alg: 'HS256'
    }),
    'HS256 with the public JWK': hmac(jwk, { ...head, alg: 'HS256' }),
    'HS256 with our own secret': hmac(JWT_SECRET, { alg: 'HS256', typ: 'JWT' }),
    'HS256 with our own secret, of ours but for the issuer': hmac(
      JWT_SECRET,
      { alg: 'HS256', typ: 'JWT' },
      { ...claims, agent_type: 't', permissions: ['admin'], aud: 'shared-context-server' }
    ),
    'RS256 by the issuer, as one of ours': signWith(key, head, {
      ...claims,
      iss: 'shared-context-server',
      aud: 'shared-context-server',
      agent_type: 't',
      permissions: ['admin']
    }),
    'another issuer': issuer.token({ iss: 'https://evil.test' }),
    'the issuer with a slash more': issuer.token({ iss: `${issuer.url}/` }),
    'the issuer in a list': issuer.token({ iss: [issuer.url] }),
    'no issuer': issuer.token({ iss: undefined }),
    'another audience': issuer.token({ aud: 'https://another-service.test' }),
    'no audience': issuer.token({ aud: undefined }),
    'not valid yet': issuer.token({ nbf: now + 120 }),
    'no expiry': issuer.token({ exp: undefined }),
    'an expiry that is no number': issuer.token({ exp: '9999999999' }),
    "a key of another, with the issuer's kid": signWith(stranger, head, claims),
    'a key of another, in the header': signWith(
      stranger,
      { alg: 'RS256', jwk: stranger.publicKey.export({ format: 'jwk' }) },
      claims
    ),
    'a key of another, by an address in the header': signWith(
      stranger,
      { alg: 'RS256', kid: stranger.kid, jku: `${issuer.url}/keys` },
      claims
    ),
    'a kid nobody knows': signWith(key, { ...head, kid: 'nobody' }, claims),
    'no kid, a key of another': signWith(stranger, { alg: 'RS256' }, claims),
    'another body': `${encode(head)}.${encode({ ...claims, sub: 'victim' })}.${signature}`,
    'no signature': `${encode(head)}.${encode(claims)}.`,
    'a critical extension': signWith(key, { ...head, crit: ['exp'] }, claims),
    'a logout token': issuer.token({}, { header: { typ: 'logout+jwt' } }),
    'bound to a key of its holder': issuer.token({ cnf: { jkt: 'x' } }),
    'no subject': issuer.token({ sub: undefined }),
    'a subject that is no text': issuer.token({ sub: 5 }),
    'an empty subject': issuer.token({ sub: '' }),
    'a subject with spaces around': issuer.token({ sub: ' admin' }),
    'a subject with a line break': issuer.token({ sub: 'a\nb' }),
    'a long subject': issuer.token({ sub: 'x'.repeat(101) }),
    'a type that is no text': issuer.token({ agent_type: ['a'] }),
    'a long one': issuer.token({ filler: 'x'.repeat(20_000) })
  }
  for (const [what, bearer] of Object.entries(bad)) {
    const answer = await call(
      app,
      'list_sessions',
      {},
      bearer.length > 15_000 ? { anonymous: true, headers: { authorization: `Bearer ${bearer}` } } : { token: bearer }
    )
    isFailure(t, answer, 'INVALID_TOKEN', what)
    t.match(answer.headers['www-authenticate'], 'error="invalid_token"')
    t.notOk(JSON.stringify(answer.body).includes(bearer.slice(0, 40)), 'it is not repeated')
  }
  const expired = await list(issuer.token({ iat: now - 600, exp: now - 300 }))
  isFailure(t, expired, 'TOKEN_EXPIRED')
  isFailure(t, await list(issuer.token({ exp: now - 1 })), 'TOKEN_EXPIRED', 'to the second')
  t.equal((await list(issuer.token({ nbf: now + 5, iat: now + 5 }))).status, 200, 'clocks differ by some seconds')
  t.equal((await list(issuer.token({ aud: ['x', 'other'] }))).status, 200, 'one of several audiences')
})

t.test('our own tokens are as they were', async t => {
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'own', agent_type: 'kind', api_key: API_KEY },
    { anonymous: true }
  )
  t.match(await whoIs(token), { agent_id: 'own' })
  const plain = await start(t, {}, { url: app.url })
  isFailure(
    t,
    await list(issuer.token(), plain),
    'INVALID_TOKEN',
    'where no issuer is configured its tokens are nothing'
  )
  t.equal((await list(token, plain)).status, 200)
})

t.test("the issuer's keys may be of any kind, and change", async t => {
  const moving = await startIssuer(t)
  const app2 = await start(t, { OIDC_ISSUER: moving.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
  t.equal((await list(moving.token(), app2)).status, 200)
  const older = moving.key()
  for (const alg of ['PS256', 'ES256', 'EdDSA'] as const) moving.rotate(alg)
  const newer = moving.rotate('ES256')
  const { jwks } = moving.asked
  // A key that is not known yet is asked for, but not for each token.
  const answers = await Promise.all(Array.from({ length: 50 }, () => list(moving.token(), app2)))
  t.ok(answers.every(({ status }) => status !== 500))
  t.ok(moving.asked.jwks - jwks <= 1, `asked ${moving.asked.jwks - jwks} times`)
  await until('the newer key is known', async () => (await list(moving.token(), app2)).status === 200, 20_000)
  t.equal((await list(moving.token({}, { key: older }), app2)).status, 200, 'the older is good while it is published')
  t.equal(
    (await list(moving.token({}, { key: newer, header: { kid: undefined } }), app2)).status,
    200,
    'without kid each key is tried'
  )
  const before = moving.asked.jwks
  const stranger = newKey('ES256')
  const since = performance.now()
  await Promise.all(
    Array.from({ length: 100 }, (_, n) => list(moving.token({}, { key: { ...stranger, kid: `unknown ${n}` } }), app2))
  )
  t.ok(
    moving.asked.jwks - before <= 1 + (performance.now() - since) / 5000,
    'tokens of strangers do not make it ask and ask'
  )
})

for (const alg of ['PS256', 'ES256', 'EdDSA'] as const) {
  t.test(`a token signed with ${alg}`, async t => {
    const other = await startIssuer(t)
    other.rotate(alg)
    const app2 = await start(t, { OIDC_ISSUER: other.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
    t.match(await whoIs(other.token(), app2), { agent_id: 'outsider' })
    isFailure(t, await list(other.token({}, { key: { ...newKey(alg), kid: other.key().kid } }), app2), 'INVALID_TOKEN')
  })
}

t.test('of several keys that fit, each is tried; what is no key is skipped', async t => {
  const other = await startIssuer(t, { alg: 'RS256' })
  const first = other.key()
  const second = other.rotate('RS256')
  const good = (key: SigningKey, kid: string | undefined) => other.token({}, { key, header: { kid } })
  const app2 = () => start(t, { OIDC_ISSUER: other.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })

  for (const [what, change] of [
    ['one kid, no alg', { kid: 'same', alg: undefined }],
    ['one kid, one alg', { kid: 'same' }],
    ['no kid, no use', { kid: undefined, use: undefined }]
  ] as const) {
    other.published = keys => keys.map(key => ({ ...key, ...change }))
    const on = await app2()
    const { kid } = change
    t.equal((await list(good(first, kid), on)).status, 200, `${what}: the first`)
    t.equal((await list(good(second, kid), on)).status, 200, `${what}: the second`)
    const stranger = { ...newKey('RS256'), kid: 'same' }
    isFailure(t, await list(good(stranger, kid), on), 'INVALID_TOKEN', `${what}: neither`)
  }

  const odd = { kid: 'same', kty: 'RSA', alg: 'RS256', use: 'sig' }
  other.published = ([one]) => [
    null,
    'a text',
    17,
    [],
    {},
    { kid: 'same', kty: 'XYZ' },
    { ...odd, n: 17, e: 'AQAB' },
    { ...odd, n: 'AQ', e: 'AQAB' },
    { ...odd, x5c: ['none'] },
    { ...one, kid: 'same' }
  ]
  const on = await app2()
  t.equal((await list(good(first, 'same'), on)).status, 200, 'among oddities')
  t.equal((await list(good(first, undefined), on)).status, 200, 'among oddities, without kid')
})

t.test('a key that takes the place of another one, under its name, is found', async t => {
  const other = await startIssuer(t)
  other.published = keys => keys.map(key => ({ ...key, kid: 'only' }))
  const token = () => other.token({}, { header: { kid: 'only' } })
  const on = await start(t, { OIDC_ISSUER: other.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
  t.equal((await list(token(), on)).status, 200)
  other.rotate('ES256', false)
  await until('the new key is known', async () => (await list(token(), on)).status === 200, 20_000)
})

t.test('metadata is found in each of its places', async t => {
  for (const where of [
    { path: '/realms/one' },
    { metadata: '/.well-known/oauth-authorization-server' },
    { path: '/tenant', metadata: '/.well-known/oauth-authorization-server/tenant' },
    { path: '/' }
  ]) {
    const other = await startIssuer(t, where.path === '/' ? {} : where)
    if (where.path === '/') other.url += '/'
    const app2 = await start(t, { OIDC_ISSUER: other.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
    t.match(await whoIs(other.token(), app2), { agent_id: 'outsider' }, JSON.stringify(where))
  }
})

t.test('a token is revoked by its jti, or by what it says', async t => {
  const other = await start(t, ISSUED, { url: app.url })
  for (const claims of [{}, { jti: undefined }, { jti: '' }]) {
    const [token, again] = [
      issuer.token({ ...claims, sub: 'leaver' }),
      issuer.token({ ...claims, sub: 'leaver', more: 'other' })
    ]
    for (const one of [token, again]) for (const on of [app, other]) t.equal((await list(one, on)).status, 200)
    t.same((await ok(app, 'revoke_token', {}, { token })).revoked, 1)
    for (const on of [app, other])
      await until('refused', async () => (await list(token, on)).body.code === 'TOKEN_REVOKED', 10_000)
    t.equal((await list(again)).status, 200, 'others of the same agent are not')
    isFailure(t, await call(app, 'revoke_token', { token }, { token: again }), 'TOKEN_REVOKED')
  }
  // One that has taken the id of a token of ours does not end that.
  const { token } = await ok(
    app,
    'authenticate_agent',
    { agent_id: 'own', agent_type: 'kind', api_key: API_KEY },
    { anonymous: true }
  )
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()) as { jti: string }
  t.same((await ok(app, 'revoke_token', {}, { token: issuer.token({ jti }) })).revoked, 1)
  await new Promise(resolve => setTimeout(resolve, 1500))
  t.equal((await list(token)).status, 200)
})

t.test(
  'all of an agent are revoked by a mark: what the issuer gave before it ends, and what it gives later is good',
  async t => {
    const other = await start(t, ISSUED, { url: app.url })
    const admin = { admin: true, agent_id: 'boss' }
    const [old, undated, neighbour, elsewhere] = [
      issuer.token({ sub: 'dismissed', iat: now - 60 }),
      issuer.token({ sub: 'dismissed', iat: undefined }),
      issuer.token({ sub: 'stays', iat: now - 60 }),
      issuer.token({ sub: 'dismissed', workspace: 'acme', iat: now - 60 })
    ]
    const session_id = (await ok(app, 'create_session', { purpose: 'x' }, { token: old })).session_id as string
    const stream = await openStream(await listen(other), `/mcp/sessions/${session_id}/events`, { token: old })
    await stream.waitFor(events => events.length > 0)
    const waiting = call(
      other,
      'wait_for_messages',
      { session_id, after_seq: 0, timeout_seconds: 30 },
      { token: undated }
    )
    isFailure(t, await call(app, 'revoke_token', { agent_id: 'dismissed' }, { token: neighbour }), 'PERMISSION_DENIED')

    for (let times = 0; times < 2; times++)
      t.same(
        (await ok(app, 'revoke_token', { agent_id: 'dismissed' }, admin)).revoked,
        0,
        'nobody knows how many there are'
      )
    for (const on of [app, other])
      for (const token of [old, undated])
        await until('refused', async () => (await list(token, on)).body.code === 'TOKEN_REVOKED', 10_000)
    isFailure(t, await waiting, 'TOKEN_REVOKED', 'a wait')
    await until('the stream ends', stream.closed)
    t.match(stream.events.at(-1), { event: 'end', data: { reason: 'token_revoked' } })
    for (const on of [app, other]) {
      isFailure(
        t,
        await list(issuer.token({ sub: 'dismissed', iat: now - 5, more: 'never seen before' }), on),
        'TOKEN_REVOKED'
      )
      for (const token of [
        neighbour,
        elsewhere,
        issuer.token({ sub: 'dismissed', iat: Math.floor(Date.now() / 1000) + 2 })
      ])
        t.equal((await list(token, on)).status, 200)
      isFailure(
        t,
        await list(issuer.token({ sub: 'dismissed', iat: now + 3600 }), on),
        'INVALID_TOKEN',
        'one that makes itself younger than any mark'
      )
    }
    t.equal(
      (await list(old, await start(t, ISSUED, { url: app.url }))).status,
      401,
      'a replica that starts later knows too'
    )
  }
)

t.test("no token of ours is made from an outside one: its end is the issuer's", async t => {
  const token = issuer.token()
  isFailure(t, await call(app, 'refresh_token', {}, { token }), 'INVALID_TOKEN')
  isFailure(t, await call(app, 'refresh_token', { current_token: token }, { anonymous: true }), 'INVALID_TOKEN')
  isFailure(t, await call(app, 'create_token', {}, { token }), 'INVALID_TOKEN')
  t.equal((await list(token)).status, 200, 'and is as good as before')
})

t.test('an issuer that is down: what is known serves on, the rest is told to wait, our own do not notice', async t => {
  const down = await startIssuer(t)
  const rules = { OIDC_ISSUER: down.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED, LOG_LEVEL: 'info' }
  const knows = await start(t, rules, { url: app.url })
  const known = down.token()
  t.equal((await list(known, knows)).status, 200)
  await down.stop()
  const starts = await start(t, rules, { url: app.url })
  const { token: own } = await ok(
    starts,
    'authenticate_agent',
    { agent_id: 'own', agent_type: 'kind', api_key: API_KEY },
    { anonymous: true }
  )
  for (let n = 0; n < 20; n++) {
    t.equal((await list(own, starts)).status, 200)
    const answer = await list(down.token(), starts)
    isFailure(t, answer, 'SERVICE_UNAVAILABLE')
    t.ok(answer.body.retry_after > 0)
  }
  t.equal((await list(known, knows)).status, 200)
  t.equal((await list(down.token(), knows)).status, 200, 'its keys are known')
  const warnings = starts.logged.filter(line => line.msg === 'cannot fetch the keys of the token issuer')
  t.match(warnings, [{ issuer: down.url, why: 'it does not answer' }], 'told once')
  await down.start()
  await until('the issuer is back', async () => (await list(down.token(), starts)).status === 200, 20_000)
  t.equal(starts.logged.filter(line => line.msg === 'fetched the keys of the token issuer').length, 1)
})

t.test('an issuer that misbehaves', async t => {
  const bad = await startIssuer(t)
  const json = (body: unknown) => (_request: unknown, response: ServerResponse) => {
    response.setHeader('content-type', 'application/json').end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const cases: Array<[string, typeof bad.instead, RegExp]> = [
    [
      'names another issuer',
      { metadata: json({ issuer: 'https://evil.test', jwks_uri: `${bad.url}/keys` }) },
      /names another issuer/
    ],
    [
      'has its keys at plain http elsewhere',
      { metadata: json({ issuer: bad.url, jwks_uri: 'http://keys.evil.test/' }) },
      /no jwks_uri with https/
    ],
    [
      'has its keys in a file',
      { metadata: json({ issuer: bad.url, jwks_uri: 'file:///etc/passwd' }) },
      /no jwks_uri with https/
    ],
    [
      'sends elsewhere',
      {
        metadata: (_request, response) => {
          response.writeHead(302, { location: `${issuer.url}/.well-known/openid-configuration` }).end()
        }
      },
      /HTTP 302/
    ],
    ['answers no JSON', { metadata: json('<html>') }, /not JSON/],
    ['answers null', { metadata: json('null') }, /names another issuer/],
    [
      'answers without end',
      {
        metadata: (_request, response) => {
          const more = () => {
            if (!response.destroyed) response.write('x'.repeat(65_536), more)
          }
          more()
        }
      },
      /too much/
    ],
    ['has keys that are none', { jwks: json({ keys: 'none' }) }, /not a JSON Web Key Set/],
    [
      'sends elsewhere for its keys',
      {
        jwks: (_request, response) => {
          response.writeHead(307, { location: `${issuer.url}/keys` }).end()
        }
      },
      /HTTP 307/
    ],
    [
      'fails',
      {
        jwks: (_request, response) => {
          response.writeHead(500).end()
        }
      },
      /HTTP 500/
    ]
  ]
  for (const [what, instead, why] of cases) {
    bad.instead = instead
    const app2 = await start(
      t,
      { OIDC_ISSUER: bad.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED, LOG_LEVEL: 'warn' },
      { url: app.url }
    )
    isFailure(t, await list(bad.token(), app2), 'SERVICE_UNAVAILABLE', what)
    const told = app2.logged.find(line => line.msg === 'cannot fetch the keys of the token issuer')
    t.match(told?.why, why, what)
  }
  bad.instead = { metadata: () => {} }
  const app2 = await start(t, { OIDC_ISSUER: bad.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
  isFailure(t, await list(bad.token(), app2), 'SERVICE_UNAVAILABLE', 'one that never answers is not waited for')
})

t.test('keys that only encrypt, are of another algorithm, or secret, verify nothing', async t => {
  const odd = await startIssuer(t, { alg: 'RS256' })
  const key = odd.key()
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid }
  for (const [what, keys] of Object.entries({
    encrypting: [{ ...jwk, use: 'enc' }],
    'of another algorithm': [{ ...jwk, alg: 'RS512' }],
    symmetric: [{ kty: 'oct', k: Buffer.from(JWT_SECRET).toString('base64url'), kid: key.kid }],
    none: []
  })) {
    odd.instead = {
      jwks: (_request, response) => {
        response.end(JSON.stringify({ keys }))
      }
    }
    const app2 = await start(t, { OIDC_ISSUER: odd.url, OIDC_AUDIENCE: AUDIENCE, ...UNLIMITED }, { url: app.url })
    isFailure(t, await list(odd.token(), app2), 'INVALID_TOKEN', what)
  }
})

t.test('over a socket, with other credentials beside it', async t => {
  const url = await listen(app)
  const post = async (headers: Record<string, string>) =>
    (await fetch(`${url}/mcp/tool/get_usage_guidance`, { method: 'POST', headers })).json() as Promise<any>
  t.equal(
    (await post({ authorization: `Bearer ${issuer.token()}`, 'x-api-key': API_KEY, 'x-agent-id': 'by-key' })).agent_info
      .agent_id,
    'outsider'
  )
  t.equal(
    (
      await post({
        authorization: `Bearer ${issuer.token({ aud: 'x' })}`,
        'x-api-key': API_KEY,
        'x-agent-id': 'by-key'
      })
    ).code,
    'INVALID_TOKEN'
  )
})
