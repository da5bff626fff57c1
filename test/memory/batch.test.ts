import { sql } from 'kysely'
import t from 'tap'
import { call, credentials, newSession, ok, startApp } from '../helper.js'
import { callTool } from '../mcp/clients.js'
import { isFailure } from '../support/failure.js'

/** batch_memory. */

const app = await startApp(t)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const batch = (operations: unknown[], more = {}) => call(app, 'batch_memory', { operations, ...more })

t.test('a new value was created when it was last changed', async t => {
  // Two readings of the clock for a value differ by a millisecond once in some hundreds.
  for (const n of range(10)) await batch(range(100).map(i => ({ op: 'set', key: `new ${n} ${i}`, value: i })))
  const { rows } = await sql`select key from agent_memory where key like 'new %' and created_at <> updated_at`.execute(
    app.database.db
  )
  t.same(rows, [])
  await sql`delete from agent_memory`.execute(app.database.db)
})

t.test('results in order', async t => {
  const session_id = await newSession(app)
  const { body } = await batch([
    { op: 'set', key: 'a', value: 1 },
    { op: 'set', key: 'b', value: null, session_id },
    { op: 'get', key: 'a' },
    { op: 'set', key: 'a', value: [2] },
    { op: 'set', key: 'a', value: { n: 3 }, metadata: { m: 1 }, expires_in: 100 },
    { op: 'get', key: 'a' },
    { op: 'get', key: 'b', session_id },
    { op: 'get', key: 'b' },
    { op: 'list' },
    { op: 'delete', key: 'a' },
    { op: 'delete', prefix: 'b', session_id },
    { op: 'list', session_id, prefix: 'b' }
  ])
  t.match(body, { success: true, count: 12, has_more: false })
  t.match(body.results, [
    { op: 'set', ok: true, key: 'a', version: Number, expires_at: null },
    { op: 'set', ok: true, key: 'b' },
    { op: 'get', found: true, value: 1, metadata: {}, created_at: /Z$/ },
    { op: 'set' },
    { op: 'set', expires_at: /Z$/ },
    { op: 'get', found: true, value: { n: 3 }, metadata: { m: 1 }, updated_by: 'agent-1' },
    { op: 'get', found: true, value: null },
    { op: 'get', found: false, value: null },
    { op: 'list', entries: [{ key: 'a' }], count: 1, has_more: false },
    { op: 'delete', deleted: true, count: 1 },
    { op: 'delete', deleted: true, count: 1 },
    { op: 'list', entries: [], count: 0 }
  ])
  const versions = body.results.filter(({ op }: any) => op === 'set').map(({ version }: any) => version)
  t.equal(new Set(versions).size, 4)
  t.match(await callTool(app, 'modern', 'batch_memory', { operations: [{ op: 'get', key: 'a' }] }, credentials({})), {
    structuredContent: { success: true, results: [{ found: false }] }
  })
})

t.test('one bad operation: nothing is written', async t => {
  const { version } = await ok(app, 'set_memory', { key: 'taken', value: 'before' })
  const bad: Array<[operation: Record<string, unknown>, code: any]> = [
    [{ op: 'set', key: 'taken', value: 1, overwrite: false }, 'KEY_EXISTS'],
    [{ op: 'set', key: 'taken', value: 1, if_version: version + 1 }, 'VERSION_CONFLICT'],
    [{ op: 'delete', key: 'taken', if_version: 0 }, 'VERSION_CONFLICT'],
    [{ op: 'set', key: 'k', value: 1, session_id: 'session_0000000000000000' }, 'SESSION_NOT_FOUND'],
    [{ op: 'get', key: 'k', session_id: 'session_0000000000000000' }, 'SESSION_NOT_FOUND']
  ]
  for (const [operation, code] of bad) {
    const operations = [{ op: 'set', key: 'first', value: 1 }, operation, { op: 'set', key: 'last', value: 1 }]
    const refused = await batch([...operations, { op: 'delete', key: 'taken' }])
    isFailure(t, refused, code)
    t.equal(refused.body.context.operation, 1, 'it says which')
    t.same((await ok(app, 'list_memory', { prefix: 'first' })).entries, [])
    t.equal((await ok(app, 'get_memory', { key: 'taken' })).value, 'before')

    const { body } = await batch(operations, { atomic: false })
    t.match(body.results, [{ ok: true }, { ok: false, error: { code } }, { ok: true }], 'not atomic: the others are')
    t.equal((await ok(app, 'get_memory', { key: 'taken' })).value, 'before')
    t.equal((await ok(app, 'delete_memory', { prefix: 'first' })).count, 1)
    await ok(app, 'delete_memory', { key: 'last' })
  }
})

t.test('bad input names the operation and the argument', async t => {
  for (const [operation, argument] of [
    [{ op: 'get' }, 'key'],
    [{ op: 'set', key: 'k' }, 'value'],
    [{ op: 'set', value: 1 }, 'key'],
    [{ op: 'delete' }, 'key'],
    [{ op: 'delete', key: 'k', prefix: 'k' }, 'key'],
    [{ op: 'delete', prefix: 'k', if_version: 1 }, 'if_version'],
    [{ op: 'get', key: 'k', value: 1 }, 'value'],
    [{ op: 'list', key: 'k' }, 'key'],
    [{ op: 'list', expires_in: 5 }, 'expires_in'],
    [{ op: 'get', key: 'k', surprise: 1 }, 'surprise'],
    [{ op: 'copy', key: 'k' }, 'op'],
    [{ op: 'get', key: 'k', namespace: 'a//b' }, 'namespace']
  ] as const) {
    const answer = await batch([{ op: 'get', key: 'fine' }, operation])
    isFailure(t, answer, 'INVALID_INPUT', JSON.stringify(operation))
    t.equal(answer.body.context.argument, `operations/1/${argument}`)
  }
  isFailure(t, await batch([{ op: 'set', key: 'a\nb', value: 1 }]), 'INVALID_KEY')
  for (const operations of [[], range(501).map(() => ({ op: 'list' }))])
    isFailure(t, await batch(operations), 'INVALID_INPUT')
})

t.test('five hundred operations', async t => {
  const operations = range(500).map(i => ({ op: 'set', key: `many ${i}`, value: { i } }))
  for (let twice = 0; twice < 2; twice++) t.equal((await batch(operations)).body.count, 500)
  const { body } = await batch(range(500).map(i => ({ op: 'get', key: `many ${i}` })))
  t.same(
    body.results.map(({ value }: any) => value.i),
    range(500)
  )
  t.equal((await ok(app, 'delete_memory', { prefix: 'many ' })).count, 500)
})

t.test('a batch that only reads leaves nothing behind, unless it has an idempotency key', async t => {
  const as = { agent_id: 'reader' }
  await ok(app, 'set_memory', { key: 'read', value: 1 }, as)
  const read = async (more = {}) =>
    (await ok(app, 'batch_memory', { operations: [{ op: 'get', key: 'read' }, { op: 'list' }], ...more }, as)).results
  const rows = async () => {
    const { rows } = await sql<{ audited: number; kept: number }>`select
      (select count(*)::int from audit_log where agent_id = 'reader' and action = 'batch_memory') as audited,
      (select count(*)::int from idempotency_keys where agent_id = 'reader') as kept`.execute(app.database.db)
    return rows[0]
  }
  t.match(await read(), [{ value: 1 }, { count: 1 }])
  t.same(await rows(), { audited: 0, kept: 0 })
  const first = await read({ idempotency_key: 'reads' })
  t.same(await rows(), { audited: 1, kept: 1 })
  await ok(app, 'set_memory', { key: 'read', value: 2 }, as)
  t.same(await read({ idempotency_key: 'reads' }), first, 'a repeat gets the first answer')
  t.match(await read(), [{ value: 2 }])
})

t.test('an answer stops at eight megabytes, and what is written is written', async t => {
  const value = 'x'.repeat(3 * 1024 * 1024)
  for (const i of range(4)) await ok(app, 'set_memory', { key: `large ${i}`, value })
  const gets = range(4).map(i => ({ op: 'get', key: `large ${i}` }))
  const { body } = await batch([...gets, { op: 'set', key: 'after', value: 1 }])
  t.match(body, { count: 2, has_more: true })
  t.ok(Buffer.byteLength(JSON.stringify(body)) <= 8 * 1024 * 1024)
  t.equal((await ok(app, 'get_memory', { key: 'after' })).value, 1)
  t.equal((await ok(app, 'delete_memory', { prefix: 'large' })).count, 4)
})

t.test('a value that PostgreSQL prints much longer comes back as it was sent', async t => {
  // Of each number PostgreSQL writes 301 digits; of the second value, two bytes for each that was sent.
  const values = [Array(20_000).fill(1e300), Array(20_000).fill(1), { n: 1.5, text: 'small "quoted" é' }]
  await batch(values.map((value, n) => ({ op: 'set', key: `long ${n}`, value })))
  const keys = [...values.keys()].map(n => ({ op: 'get', key: `long ${n}` }))
  const answer = await app.server.inject({
    method: 'POST',
    url: '/mcp/tool/batch_memory',
    headers: credentials({}),
    payload: { operations: keys }
  })
  t.strictSame(
    answer.json<{ results: Array<{ value: unknown }> }>().results.map(({ value }) => value),
    values
  )
  t.ok(answer.body.length < JSON.stringify(values).length + 12_000, 'the answer is not longer than what was sent')
})

t.test('quota, idempotency, concurrency', async t => {
  const small = await startApp(t, { QUOTA_MEMORY_ENTRIES: '5' })
  const operations = range(6).map(i => ({ op: 'set', key: `q${i}`, value: i }))
  isFailure(t, await call(small, 'batch_memory', { operations }), 'QUOTA_EXCEEDED')
  t.equal((await ok(small, 'list_memory')).count, 0)
  const once = { operations: [{ op: 'set', key: 'once', value: 1 }], idempotency_key: 'batch' }
  t.same(await ok(app, 'batch_memory', once), await ok(app, 'batch_memory', once))
  const other = await startApp(t, {}, { url: app.url })
  // In opposite orders, so that their rows meet crosswise.
  const keys = range(20).map(i => ({ op: 'set', key: `cross ${i}`, value: i }))
  const answers = await Promise.all(
    range(20).map(i => call(i % 2 ? app : other, 'batch_memory', { operations: i % 2 ? keys : [...keys].reverse() }))
  )
  for (const { status, body } of answers) t.equal(status, 200, JSON.stringify(body).slice(0, 200))
  t.equal((await ok(app, 'list_memory', { prefix: 'cross' })).count, 20)
})
