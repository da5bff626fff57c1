import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { sweep } from '../../src/lifecycle/sweep.js'
import { type As, call, credentials, newSession, ok, startApp } from '../helper.js'
import { callTool, post, request, saidBy } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'
import { countStatements } from '../support/statements.js'

/** set_memory, get_memory, list_memory, delete_memory. */

const app = await startApp(t)

async function roundTrip(value: unknown): Promise<unknown> {
  await ok(app, 'set_memory', { key: 'round trip', value })
  return (await ok(app, 'get_memory', { key: 'round trip' })).value
}

t.test('values come back equal', async t => {
  for (const value of [
    null,
    true,
    false,
    0,
    -0,
    1,
    -1.5,
    1e-7,
    0.1,
    123456789.123,
    9_007_199_254_740_991,
    -9_007_199_254_740_991,
    5e-324,
    1e20,
    -1e20,
    1.5e16,
    2 ** 53,
    2 ** 60,
    123456789012345680000,
    1.7976931348623157e308,
    '',
    ' ',
    '123',
    'null',
    '{"a":1}',
    'true',
    '  spaces kept  ',
    'line\nbreak\ttab\r',
    '\u0001\u001f\u007f',
    '你好 🚀 é é ‮',
    '\uFFFF',
    "'; drop table agent_memory; --",
    '\\ % _',
    [],
    [[]],
    [null],
    [1, 'two', { three: [3] }],
    {},
    { '': '' },
    { a: { b: { c: [] } } },
    { null: null, 'a.b': 1, 'ключ 🔑': 'v', constructor: 1, toString: 'x' },
    Array.from({ length: 1000 }, (_, i) => ({ i, content: `message ${i}` }))
  ]) {
    const back = await roundTrip(value)
    t.ok(isDeepStrictEqual(back, Object.is(value, -0) ? 0 : value), JSON.stringify(value).slice(0, 60))
  }
})

t.test('values come back equal over MCP, whose clients read their types in the list', async t => {
  for (const era of ['legacy', 'modern'] as const) {
    for (const value of [
      null,
      true,
      7,
      7.5,
      '',
      '123',
      'null',
      '{"a":1}',
      '[1]',
      [],
      [1, '2', null, [true]],
      [{ a: 1 }],
      { a: [{ b: null }] }
    ]) {
      t.match(await callTool(app, era, 'set_memory', { key: 'over mcp', value }, credentials({})), {
        structuredContent: { success: true }
      })
      t.same(
        (await callTool(app, era, 'get_memory', { key: 'over mcp' }, credentials({}))).structuredContent.value,
        value,
        `${era} ${JSON.stringify(value)}`
      )
    }
    t.match(
      (await callTool(app, era, 'set_memory', { key: 'over mcp' }, credentials({}))).said,
      { code: 'INVALID_INPUT', context: { argument: 'value', given: 'nothing' } },
      'null is a value, and nothing is none'
    )
  }
})

t.test('any JSON value comes back equal', async t => {
  // What the contract refuses is left out: NUL and __proto__; and -0, which JSON text does not keep.
  const kept = (value: unknown) => {
    const text = JSON.stringify(value)
    return !text.includes('\\u0000') && !text.includes('__proto__')
  }
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }).filter(kept), async value => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown
      const back = await roundTrip(plain)
      if (!isDeepStrictEqual(back, plain))
        throw new Error(`${JSON.stringify(plain)} came back as ${JSON.stringify(back)}`)
    }),
    { numRuns: 100 }
  )
  t.pass()
})

t.test('numbers that a double cannot hold are refused', async t => {
  for (const number of [
    '9007199254740993',
    '-9007199254740993',
    '9007199254740993.0',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '123456789012345678901234567890',
    '9'.repeat(400)
  ]) {
    const answer = await app.server.inject({
      method: 'POST',
      url: '/mcp/tool/set_memory',
      headers: { 'content-type': 'application/json', 'x-api-key': app.config.api_key as string, 'x-agent-id': 'a' },
      payload: `{"key":"k","value":{"deep":[${number}]}}`
    })
    t.match(answer.json(), { code: 'INVALID_INPUT', context: { argument: 'value' }, suggestions: [/string/] }, number)
  }
  isFailure(t, await call(app, 'get_memory', { key: 'k' }, { agent_id: 'a' }), 'MEMORY_NOT_FOUND')
})

t.test('over MCP, and in metadata that came as text, too', async t => {
  // JSON.stringify cannot write such a number.
  const withNumber = (number: string, message: unknown) => JSON.stringify(message).replace(/\\?"N\\?"/g, number)
  for (const args of [
    { key: 'exact', value: { a: ['N'] } },
    { key: 'exact', value: 1, metadata: { a: 'N' } },
    { key: 'exact', value: 1, metadata: '{"a":"N"}' }
  ]) {
    for (const era of ['legacy', 'modern'] as const) {
      const set = async (number: string) => {
        const send = async (message: unknown, headers: Record<string, string>) =>
          post(app, withNumber(number, message), headers)
        return (
          await request(app, era, 'tools/call', { name: 'set_memory', arguments: args }, credentials({}), '/mcp', send)
        ).body.result
      }
      t.match(saidBy(await set('9007199254740993')), { code: 'INVALID_INPUT', suggestions: [/string/] }, era)
      t.match(saidBy(await set('9007199254740992')), { success: true }, era)
    }
  }
})

t.test('at most 4 MiB as JSON', async t => {
  const most = 4 * 1024 * 1024
  t.equal(((await roundTrip('x'.repeat(most - 2))) as string).length, most - 2)
  t.equal(((await roundTrip('🚀'.repeat((most - 4) / 4))) as string).length, (most - 4) / 2)
  for (const value of ['x'.repeat(most - 1), '🚀'.repeat(most / 4), ['x'.repeat(most)]]) {
    const answer = await call(app, 'set_memory', { key: 'large', value })
    isFailure(t, answer, 'CONTENT_TOO_LARGE')
    t.match(answer.body, { context: { argument: 'value' }, error: /4194304/ })
  }
  isFailure(t, await call(app, 'get_memory', { key: 'large' }), 'MEMORY_NOT_FOUND')
})

t.test('keys', async t => {
  for (const key of [
    'a key with spaces',
    'agent_conversation_history',
    'ключ',
    '🔑'.repeat(255),
    'k'.repeat(255),
    '%',
    '_',
    '\\',
    'a/b?c=d&e',
    "'; --",
    '{"json":1}',
    'null'
  ]) {
    await ok(app, 'set_memory', { key, value: key })
    t.equal((await ok(app, 'get_memory', { key })).value, key, key.slice(0, 30))
  }
  t.equal((await ok(app, 'set_memory', { key: '  trimmed ', value: 1 })).key, 'trimmed')
  t.equal((await ok(app, 'get_memory', { key: ' trimmed' })).value, 1)
  isFailure(t, await call(app, 'get_memory', { key: 'Trimmed' }), 'MEMORY_NOT_FOUND', 'case counts')
  for (const key of ['', '   ', 'a\nb', 'a\u0007', '\u009f', 'k'.repeat(256), '🔑'.repeat(256)])
    isFailure(t, await call(app, 'set_memory', { key, value: 1 }), 'INVALID_KEY', JSON.stringify(key).slice(0, 30))
})

t.test('versions, times and metadata', async t => {
  const first = await ok(app, 'set_memory', { key: 'versioned', value: 1, metadata: { a: 1 } })
  t.match(first, { key: 'versioned', scope: 'global', session_scoped: false, namespace: null, expires_at: null })
  const second = await ok(app, 'set_memory', { key: 'versioned', value: 2 })
  t.ok(second.version > first.version)
  const read = await ok(app, 'get_memory', { key: 'versioned' })
  t.match(
    read,
    {
      value: 2,
      version: second.version,
      metadata: {},
      created_at: first.stored_at,
      updated_at: second.stored_at,
      expires_at: null
    },
    'metadata is replaced too'
  )
  const refused = await call(app, 'set_memory', { key: 'versioned', value: 3, overwrite: false })
  isFailure(t, refused, 'KEY_EXISTS')
  t.equal((await ok(app, 'get_memory', { key: 'versioned' })).value, 2)
  t.match(await ok(app, 'delete_memory', { key: 'versioned' }), { deleted: true })
  t.match(await ok(app, 'delete_memory', { key: 'versioned' }), { deleted: false })
  const anew = await ok(app, 'set_memory', { key: 'versioned', value: 3, overwrite: false })
  t.ok(anew.version > second.version, 'versions go on after a deletion')

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call(app, 'set_memory', { key: 'raced', value: i, overwrite: false }))
  )
  t.equal(
    answers.filter(answer => answer.status === 200).length,
    1,
    'of those that race with overwrite:false, one wins'
  )
  const versions = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ok(app, 'set_memory', { key: 'raced', value: i }))
  )
  t.equal(new Set(versions.map(answer => answer.version)).size, 20, 'no version twice')
})

t.test('scopes are apart', async t => {
  const [one, two] = [await newSession(app), await newSession(app)]
  const agent = { agent_id: 'scoped' }
  await ok(app, 'set_memory', { key: 'k', value: 'global', session_id: null }, agent)
  t.match(await ok(app, 'set_memory', { key: 'k', value: 'one', session_id: one }, agent), {
    scope: 'session',
    session_scoped: true
  })
  const of = async (session_id?: string) => (await call(app, 'get_memory', { key: 'k', session_id }, agent)).body
  t.match(
    [await of(), await of(one)],
    [
      { value: 'global', scope: 'global' },
      { value: 'one', scope: 'session' }
    ]
  )
  t.match(await of(two), { code: 'MEMORY_NOT_FOUND' }, 'no fall-back to the global one')
  await ok(app, 'delete_memory', { key: 'k' }, agent)
  t.match(await of(), { code: 'MEMORY_NOT_FOUND' }, "nor to a session's")
  t.match(await of(one), { value: 'one' })
})

t.test("memory is one's own", async t => {
  await ok(app, 'set_memory', { key: 'private', value: 'secret of ann' }, { agent_id: 'ann' })
  for (const as of [{ agent_id: 'bob' }, { agent_id: 'boss', admin: true }, { agent_id: 'ANN' }]) {
    isFailure(t, await call(app, 'get_memory', { key: 'private' }, as), 'MEMORY_NOT_FOUND')
    t.same((await ok(app, 'list_memory', { session_id: 'all' }, as)).entries, [])
    t.match(await ok(app, 'delete_memory', { key: 'private' }, as), { deleted: false })
    await ok(app, 'set_memory', { key: 'private', value: 'other', overwrite: false }, as)
    await ok(app, 'delete_memory', { key: 'private' }, as)
  }
  t.equal(
    (await ok(app, 'get_memory', { key: 'private' }, { agent_id: 'ann', agent_type: 'another type' })).value,
    'secret of ann'
  )
})

t.test('lists', async t => {
  const agent = { agent_id: 'lister' }
  const session_id = await newSession(app)
  const keys = ['50%', '50 percent', 'a_b', 'axb', 'a\\b', 'Ab', 'last']
  for (const key of keys) await ok(app, 'set_memory', { key, value: 'é' }, agent)
  await ok(app, 'set_memory', { key: 'a_session', value: { a: 1 }, session_id, expires_in: 1000 }, agent)
  const list = async (args = {}) => (await ok(app, 'list_memory', args, agent)).entries.map((entry: any) => entry.key)
  t.same(await list(), [...keys].reverse(), 'last updated first')
  await ok(app, 'set_memory', { key: '50%', value: 2 }, agent)
  t.same((await list())[0], '50%')
  t.same(await list({ limit: 2 }), ['50%', 'last'])
  t.same(await list({ session_id }), ['a_session'])
  t.same((await list({ session_id: 'all' })).length, 8)
  t.same((await list({ prefix: 'a' })).sort(), ['a\\b', 'a_b', 'axb'])
  t.same(await list({ prefix: 'a_' }), ['a_b'], '_ is a character')
  t.same(await list({ prefix: '50%' }), ['50%'], '% is a character')
  t.same(await list({ prefix: 'a\\' }), ['a\\b'], '\\ is a character')
  t.same((await list({ prefix: '', session_id: null })).length, 7)
  t.same(await list({ prefix: 'a', session_id: 'all', limit: 1 }), ['a_session'])
  const { entries, count, scope_filter } = await ok(app, 'list_memory', { session_id: 'all', limit: 200 }, agent)
  t.same([count, scope_filter], [8, 'all'])
  t.match(
    entries.find((entry: any) => entry.key === 'a_session'),
    { scope: 'session', session_id, namespace: null, value_size: 7, expires_at: /Z$/ }
  )
  t.match(
    entries.find((entry: any) => entry.key === 'last'),
    { scope: 'global', session_id: null, value_size: 4, expires_at: null }
  )
  t.equal((await ok(app, 'list_memory', {}, agent)).scope_filter, 'global')
  isFailure(t, await call(app, 'list_memory', { session_id: 'session_0123456789abcdef' }), 'SESSION_NOT_FOUND')
})

t.test('a time to live', async t => {
  const before = Date.now()
  const stored = await ok(app, 'set_memory', { key: 'long', value: 1, expires_in: 31_536_000 })
  // Two readings of the clock, each cut to a millisecond.
  t.ok(Math.abs(Date.parse(stored.expires_at) - Date.parse(stored.stored_at) - 31_536_000_000) <= 1)
  t.ok(Date.parse(stored.expires_at) >= before)
  t.equal(
    (await ok(app, 'set_memory', { key: 'long', value: 1, expires_in: 0 })).expires_at,
    null,
    'for ever, and the old time is gone'
  )
  for (const expires_in of [-1, 31_536_001, 1.5, 'soon', '1h'])
    isFailure(t, await call(app, 'set_memory', { key: 'k', value: 1, expires_in }), 'INVALID_TTL', String(expires_in))
})

t.test('expired is absent, at once and everywhere', async t => {
  const agent = { agent_id: 'expiring' }
  const session_id = await newSession(app)
  /** As if its time were over: what the sweep has not removed yet. */
  async function expire(): Promise<void> {
    await app.database.db
      .updateTable('agent_memory')
      .set({ expires_at: new Date(Date.now() - 1000).toISOString() })
      .where('agent_id', '=', 'expiring')
      .execute()
  }
  async function rows(): Promise<number> {
    return (await app.database.db.selectFrom('agent_memory').select('key').where('agent_id', '=', 'expiring').execute())
      .length
  }
  for (const scope of [{}, { session_id }]) {
    for (let i = 0; i < 3; i++) await ok(app, 'set_memory', { key: 'k', value: i, expires_in: 1000, ...scope }, agent)
    await expire()
    isFailure(t, await call(app, 'get_memory', { key: 'k', ...scope }, agent), 'MEMORY_NOT_FOUND')
    t.same((await ok(app, 'list_memory', { session_id: 'all' }, agent)).entries, [])
    t.same((await ok(app, 'list_memory', { ...scope }, agent)).entries, [])
    const anew = await ok(app, 'set_memory', { key: 'k', value: 'anew', overwrite: false, ...scope }, agent)
    t.match(anew, { expires_at: null }, 'it does not stand in the way')
    t.equal((await ok(app, 'get_memory', { key: 'k', ...scope }, agent)).created_at, anew.stored_at)
    await ok(app, 'set_memory', { key: 'k', value: 1, expires_in: 1000, ...scope }, agent)
    await expire()
    t.match(await ok(app, 'delete_memory', { key: 'k', ...scope }, agent), { deleted: false })
  }
  await ok(app, 'set_memory', { key: 'k', value: 1, expires_in: 1000 }, agent)
  await ok(app, 'set_memory', { key: 'stays', value: 1 }, agent)
  await expire()
  await ok(app, 'set_memory', { key: 'stays', value: 1 }, agent)
  t.equal(await rows(), 2)
  await sweep(app.database.db)
  t.equal(await rows(), 1, 'the sweep frees it')
})

t.test('a real second passes', async t => {
  await ok(app, 'set_memory', { key: 'brief', value: 1, expires_in: 1 })
  for (let tries = 0; (await call(app, 'get_memory', { key: 'brief' })).status === 200 && tries < 200; tries++)
    await new Promise(resolve => setTimeout(resolve, 20))
  isFailure(t, await call(app, 'get_memory', { key: 'brief' }), 'MEMORY_NOT_FOUND')
})

t.test('what many recall at once is read together, and each gets its own', async t => {
  const session_id = await newSession(app, { agent_id: 'crowd-0' })
  const agents: As[] = Array.from({ length: 60 }, (_, i) => ({ agent_id: `crowd-${i}` }))
  for (const [i, as] of agents.entries()) {
    await ok(app, 'set_memory', { key: 'shared', value: `global of ${i}` }, as)
    if (i % 3 === 0) await ok(app, 'set_memory', { key: 'shared', value: `session of ${i}`, session_id }, as)
  }
  const asked = countStatements(t, app)
  const got = await Promise.all(agents.map(async as => (await ok(app, 'get_memory', { key: 'shared' }, as)).value))
  t.same(
    got,
    agents.map((_, i) => `global of ${i}`)
  )
  t.ok(asked.length <= 30, `${asked.length} statements for ${agents.length} values`)
  const missing = await Promise.all(
    agents.map(
      async (as, i) => (await call(app, 'get_memory', { key: i % 2 === 0 ? 'shared' : 'never stored' }, as)).body.code
    )
  )
  t.same(
    missing,
    agents.map((_, i) => (i % 2 === 0 ? undefined : 'MEMORY_NOT_FOUND'))
  )
  const inSession = await Promise.all(
    agents.map(async as => (await call(app, 'get_memory', { key: 'shared', session_id }, as)).body.value)
  )
  t.same(
    inSession,
    agents.map((_, i) => (i % 3 === 0 ? `session of ${i}` : undefined))
  )
})
