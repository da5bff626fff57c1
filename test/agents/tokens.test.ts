import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { ADMIN_API_KEY, API_KEY, call, JWT_SECRET, ok, startApp, type TestApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** refresh_token, revoke_token, and what becomes of tokens that are not good. */

const app = await startApp(t)

async function token(
  agent_id: string,
  requested_permissions = ['read', 'write'],
  api_key = API_KEY,
  on: TestApp = app
): Promise<string> {
  return (
    await ok(
      on,
      'authenticate_agent',
      { agent_id, agent_type: 'kind', api_key, requested_permissions },
      { anonymous: true }
    )
  ).token as string
}

/** Until the replica has learnt of it, which may take 2 s. */
async function refused(bearer: string, on: TestApp = app) {
  for (let tries = 0; ; tries++) {
    const answer = await call(on, 'list_sessions', { limit: 1 }, { token: bearer })
    if (answer.status !== 200 || tries > 300) return answer
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

t.test('a refreshed token takes the place of the old one', async t => {
  const old = await token('refresher', ['read'])
  const answer = await ok(app, 'refresh_token', {}, { token: old })
  t.match(answer, { agent_id: 'refresher', agent_type: 'kind', permissions: ['read'], token_type: 'Bearer' })
  t.not(answer.token, old)
  t.match(await ok(app, 'list_sessions', {}, { token: answer.token }), { success: true })
  isFailure(t, await refused(old), 'TOKEN_REVOKED')
  isFailure(t, await call(app, 'refresh_token', {}, { token: old }), 'TOKEN_REVOKED')
  isFailure(t, await call(app, 'refresh_token', { current_token: old }, { anonymous: true }), 'TOKEN_REVOKED')
  t.match(
    await ok(app, 'refresh_token', { current_token: answer.token }, { anonymous: true }),
    { agent_id: 'refresher' },
    'as an argument too'
  )
})

t.test('of refreshes that race, one wins', async t => {
  const old = await token('racer')
  const answers = await Promise.all(Array.from({ length: 10 }, () => call(app, 'refresh_token', {}, { token: old })))
  t.equal(answers.filter(answer => answer.status === 200).length, 1)
  for (const answer of answers.filter(answer => answer.status !== 200)) isFailure(t, answer, 'TOKEN_REVOKED')
})

t.test('a token is revoked by whoever has it', async t => {
  const [own, given] = [await token('revoker'), await token('another')]
  t.same((await ok(app, 'revoke_token', { token: given }, { token: own })).revoked, 1)
  isFailure(t, await refused(given), 'TOKEN_REVOKED')
  t.same((await ok(app, 'revoke_token', {}, { token: own })).revoked, 1)
  isFailure(t, await refused(own), 'TOKEN_REVOKED')
  isFailure(t, await call(app, 'revoke_token', {}, { token: own }), 'TOKEN_REVOKED')
})

t.test("an admin revokes all of an agent's", async t => {
  const theirs = [await token('culprit'), await token('culprit'), await token('culprit')]
  const bystander = await token('bystander')
  const admin = await token('boss', ['admin'], ADMIN_API_KEY)
  isFailure(t, await call(app, 'revoke_token', { agent_id: 'culprit' }, { token: bystander }), 'PERMISSION_DENIED')
  isFailure(
    t,
    await call(app, 'revoke_token', { agent_id: 'culprit' }, { token: theirs[0] as string }),
    'PERMISSION_DENIED',
    "not even one's own by name"
  )
  isFailure(
    t,
    await call(app, 'revoke_token', { agent_id: 'culprit', token: bystander }, { token: admin }),
    'INVALID_INPUT'
  )
  t.same((await ok(app, 'revoke_token', { agent_id: 'culprit' }, { token: admin })).revoked, 3)
  t.same((await ok(app, 'revoke_token', { agent_id: 'culprit' }, { token: admin })).revoked, 0)
  t.same((await ok(app, 'revoke_token', { agent_id: 'nobody' }, { token: admin })).revoked, 0)
  for (const one of theirs) isFailure(t, await refused(one), 'TOKEN_REVOKED')
  t.match(await ok(app, 'list_sessions', {}, { token: bystander }), { success: true })
  t.match(await ok(app, 'list_sessions', {}, { token: await token('culprit') }), { success: true }, 'a new one is good')
})

t.test('every replica learns of it', async t => {
  const other = await startApp(t, {}, { url: app.url })
  const shared = await token('roamer')
  t.match(await ok(other, 'list_sessions', {}, { token: shared }), { success: true }, 'a token is good on any')
  await ok(app, 'revoke_token', {}, { token: shared })
  isFailure(t, await refused(shared, other), 'TOKEN_REVOKED')
  const later = await startApp(t, {}, { url: app.url })
  isFailure(
    t,
    await call(later, 'list_sessions', {}, { token: shared }),
    'TOKEN_REVOKED',
    'also one that starts afterwards'
  )
})

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const now = Math.floor(Date.now() / 1000)
const CLAIMS = {
  sub: 'forger',
  agent_type: 'kind',
  permissions: ['read', 'write', 'admin'],
  workspace: 'default',
  iat: now,
  exp: now + 3600,
  jti: 'made-up',
  iss: 'shared-context-server',
  aud: 'shared-context-server'
}

function forge(
  claims: Record<string, unknown> = {},
  { alg = 'HS256', secret = JWT_SECRET, hash = 'sha256' } = {}
): string {
  const text = `${encode({ alg, typ: 'JWT' })}.${encode({ ...CLAIMS, ...claims })}`
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
}

t.test('tokens that are not ours', async t => {
  t.match(
    await ok(app, 'list_sessions', {}, { token: forge() }),
    { success: true },
    'what the following differ from is good'
  )
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const rsa = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(CLAIMS)}`
  const [head, body, signature] = (await token('honest')).split('.') as [string, string, string]
  const bad: Record<string, string> = {
    'Bearer None': 'None',
    nonsense: 'abc',
    'three parts of nonsense': 'a.b.c',
    'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${encode(CLAIMS)}.`,
    'alg none with a signature': `${encode({ alg: 'none', typ: 'JWT' })}.${encode(CLAIMS)}.${signature}`,
    RS256: `${rsa}.${sign('sha256', Buffer.from(rsa), privateKey).toString('base64url')}`,
    HS512: forge({}, { alg: 'HS512', hash: 'sha512' }),
    'another secret': forge({}, { secret: `${JWT_SECRET}x` }),
    'an empty secret': forge({}, { secret: '' }),
    'another audience': forge({ aud: 'another-server' }),
    'no audience': forge({ aud: undefined }),
    'no issuer': forge({ iss: undefined }),
    'another issuer': forge({ iss: 'another-server' }),
    'no expiry': forge({ exp: undefined }),
    'no jti': forge({ jti: undefined }),
    'no subject': forge({ sub: undefined }),
    'a subject that is no text': forge({ sub: 5 }),
    'permissions that are no list': forge({ permissions: 'admin' }),
    'another body': [
      head,
      encode({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), permissions: ['admin'] }),
      signature
    ].join('.'),
    'no signature': `${head}.${body}.`,
    'a long one': 'x'.repeat(5000)
  }
  for (const [what, bearer] of Object.entries(bad)) {
    const answer = await call(app, 'list_sessions', {}, { token: bearer })
    isFailure(t, answer, 'INVALID_TOKEN', what)
    t.match(answer.headers['www-authenticate'], 'error="invalid_token"')
    t.notOk(JSON.stringify(answer.body).includes(bearer.slice(0, 40)) && bearer.length > 10, 'it is not repeated')
  }
  for (const authorization of ['Bearer', 'Bearer ', 'Basic YTpi', `Token ${forge()}`, `Bearer ${forge()} ${forge()}`]) {
    isFailure(
      t,
      await call(app, 'list_sessions', {}, { anonymous: true, headers: { authorization } }),
      'INVALID_TOKEN',
      authorization.slice(0, 12)
    )
  }
  t.equal(
    (await call(app, 'list_sessions', {}, { anonymous: true, headers: { authorization: `bearer ${forge()}` } })).status,
    200,
    'the scheme in any case'
  )
})

t.test('a bad token never falls through to another identity', async t => {
  const headers = { 'x-api-key': API_KEY, 'x-agent-id': 'a', authorization: 'Bearer None' }
  isFailure(t, await call(app, 'list_sessions', {}, { anonymous: true, headers }), 'INVALID_TOKEN')
  isFailure(
    t,
    await call(app, 'get_usage_guidance', {}, { anonymous: true, headers }),
    'INVALID_TOKEN',
    'nor to nobody'
  )
  isFailure(
    t,
    await call(app, 'refresh_token', { current_token: await token('live') }, { token: 'None' }),
    'INVALID_TOKEN'
  )
})

t.test('unknown permissions in a token are nothing', async t => {
  const answer = await call(app, 'list_sessions', {}, { token: forge({ permissions: ['fly', 'write'], jti: 'fly' }) })
  isFailure(t, answer, 'PERMISSION_DENIED')
  t.same(answer.body.context.current_permissions, ['write'])
})

t.test('an expired token', async t => {
  isFailure(
    t,
    await call(app, 'list_sessions', {}, { token: forge({ iat: now - 100, exp: now - 10, jti: 'old' }) }),
    'TOKEN_EXPIRED'
  )
  isFailure(
    t,
    await call(app, 'refresh_token', {}, { token: forge({ iat: now - 100, exp: now - 10, jti: 'old' }) }),
    'TOKEN_EXPIRED'
  )
  isFailure(
    t,
    await call(
      app,
      'revoke_token',
      { token: forge({ iat: now - 100, exp: now - 10, jti: 'old' }) },
      { token: await token('a') }
    ),
    'TOKEN_EXPIRED'
  )

  const brief = await startApp(t, { JWT_EXPIRES_IN: '1' }, { url: app.url })
  const answer = await ok(
    brief,
    'authenticate_agent',
    { agent_id: 'brief', agent_type: 'kind', api_key: API_KEY },
    { anonymous: true }
  )
  t.equal(answer.expires_in, 1)
  // Good at first, which a cache of verified tokens must not remember for longer.
  await call(brief, 'list_sessions', {}, { token: answer.token })
  isFailure(t, await refused(answer.token, brief), 'TOKEN_EXPIRED')
})

t.test('an admin who revokes an agent wins over a refresh at the same moment', async t => {
  const app = await startApp(t)
  for (let round = 0; round < 12; round++) {
    const agent_id = `agent-${round}`
    const { token } = await ok(app, 'authenticate_agent', { agent_id, agent_type: 't' })
    const [refreshed] = await Promise.all([
      call(app, 'refresh_token', {}, { token }),
      ok(app, 'revoke_token', { agent_id }, { admin: true })
    ])
    if (refreshed.status !== 200) continue
    t.equal((await ok(app, 'revoke_token', { agent_id }, { admin: true })).revoked <= 1, true)
    t.equal((await ok(app, 'revoke_token', { agent_id }, { admin: true })).revoked, 0)
    const { rows } = await sql<{
      live: number
    }>`select count(*) as live from tokens where agent_id = ${agent_id} and revoked_at is null`.execute(app.database.db)
    t.same(rows, [{ live: 0 }])
  }
})
