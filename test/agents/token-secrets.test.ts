import { createHmac } from 'node:crypto'
import t from 'tap'
import { API_KEY, call, JWT_SECRET, ok, startApp, type TestApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** JWT_SECRET_KEY as a list: the first signs, all verify, chosen by kid. */

const NEWER = 'the-newer-signing-secret-0123456789abcdef'
const app = await startApp(t)
const on = { url: app.url }
const prepared = await startApp(t, { JWT_SECRET_KEY: `${JWT_SECRET},${NEWER}` }, on)
const rotated = await startApp(t, { JWT_SECRET_KEY: ` ${NEWER} , ${JWT_SECRET} ` }, on)
const finished = await startApp(t, { JWT_SECRET_KEY: NEWER }, on)

async function token(of: TestApp): Promise<string> {
  return (
    await ok(of, 'authenticate_agent', { agent_id: 'a', agent_type: 'kind', api_key: API_KEY }, { anonymous: true })
  ).token as string
}

function decoded(token: string): [Record<string, unknown>, Record<string, unknown>] {
  const [head = '', body = ''] = token.split('.')
  return [head, body].map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>) as [
    Record<string, unknown>,
    Record<string, unknown>
  ]
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function signed(head: Record<string, unknown>, claims: Record<string, unknown>, secret: string): string {
  const text = `${encode(head)}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const list = (of: TestApp, token: string) => call(of, 'list_sessions', { limit: 1 }, { token })

t.test('a secret is replaced without a token refused: first it is known, then it signs, then it is alone', async t => {
  const [older, also, newer, last] = [
    await token(app),
    await token(prepared),
    await token(rotated),
    await token(finished)
  ] as const
  const kid = (token: string) => decoded(token)[0].kid
  t.equal(kid(older), kid(also), 'an appended secret does not sign yet')
  t.equal(kid(newer), kid(last))
  t.not(kid(older), kid(newer))
  for (const one of [older, also, newer, last]) {
    t.equal((await list(prepared, one)).status, 200)
    t.equal((await list(rotated, one)).status, 200)
  }
  isFailure(t, await list(app, newer), 'INVALID_TOKEN')
  isFailure(t, await list(finished, older), 'INVALID_TOKEN', 'a secret that was dropped verifies no more')
  const refreshed = await ok(rotated, 'refresh_token', {}, { token: also })
  t.equal(kid(refreshed.token), kid(newer), 'a refresh moves to the newer one')
})

t.test('a token without kid is tried with every secret', async t => {
  const [, claims] = decoded(await token(app))
  for (const secret of [JWT_SECRET, NEWER]) {
    const old = signed({ alg: 'HS256', typ: 'JWT' }, claims, secret)
    t.equal((await list(rotated, old)).status, 200)
    isFailure(
      t,
      await list(rotated, signed({ alg: 'HS256', typ: 'JWT' }, { ...claims, exp: 1 }, secret)),
      'TOKEN_EXPIRED'
    )
  }
  isFailure(t, await list(rotated, signed({ alg: 'HS256', typ: 'JWT' }, claims, `${NEWER}x`)), 'INVALID_TOKEN')
})

t.test('a kid chooses its secret and no other', async t => {
  const [head, claims] = decoded(await token(app))
  const [newer] = decoded(await token(rotated))
  const good = signed(head, claims, JWT_SECRET)
  t.equal((await list(rotated, good)).status, 200, 'what the following differ from is good')
  const bad: Record<string, string> = {
    'of another secret': signed({ ...head, kid: newer.kid }, claims, JWT_SECRET),
    unknown: signed({ ...head, kid: 'unknown' }, claims, JWT_SECRET),
    empty: signed({ ...head, kid: '' }, claims, JWT_SECRET),
    'no text': signed({ ...head, kid: null }, claims, JWT_SECRET),
    'an object': signed({ ...head, kid: {} }, claims, JWT_SECRET),
    'of every object': signed({ ...head, kid: '__proto__' }, claims, JWT_SECRET),
    'a function of the namespace': signed({ ...head, kid: 'verify' }, claims, JWT_SECRET),
    'with alg none': `${encode({ ...head, alg: 'none' })}.${encode(claims)}.`
  }
  for (const [what, bearer] of Object.entries(bad)) isFailure(t, await list(rotated, bearer), 'INVALID_TOKEN', what)
})

t.test('a kid is short and tells nothing of its secret', async t => {
  const [{ kid }] = decoded(await token(app))
  t.match(kid, /^[\w-]{11}$/)
  for (const hash of ['sha1', 'sha256', 'sha512'])
    t.not(kid, createHmac(hash, '').update(JWT_SECRET).digest().subarray(0, 8).toString('base64url'))
  t.notOk(JWT_SECRET.includes(kid as string))
})
