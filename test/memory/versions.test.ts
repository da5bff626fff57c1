import t from 'tap'
import { sql } from 'kysely'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** if_version, update_memory and memory_history, on two replicas. */

const app = await startApp(t)
const other = await startApp(t, {}, { url: app.url })
const replica = (i: number) => (i % 2 === 0 ? app : other)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

async function expire(key: string): Promise<void> {
  await app.database.db
    .updateTable('agent_memory')
    .set({ expires_at: new Date(Date.now() - 1000).toISOString() })
    .where('key', '=', key)
    .execute()
}

t.test('if_version stores only what has that version', async t => {
  const first = await ok(app, 'set_memory', { key: 'v', value: 1, if_version: 0 })
  const second = await ok(app, 'set_memory', { key: 'v', value: 2, if_version: first.version })
  t.ok(second.version > first.version)
  for (const if_version of [0, first.version, second.version + 1]) {
    const refused = await call(app, 'set_memory', { key: 'v', value: 3, if_version })
    isFailure(t, refused, 'VERSION_CONFLICT')
    t.equal(refused.body.context.version, second.version)
  }
  t.equal((await ok(app, 'get_memory', { key: 'v' })).value, 2)
  const absent = await call(app, 'set_memory', { key: 'no such', value: 1, if_version: 5 })
  isFailure(t, absent, 'VERSION_CONFLICT')
  t.equal(absent.body.context.version, 0)
  isFailure(
    t,
    await call(app, 'set_memory', { key: 'v', value: 3, overwrite: false, if_version: second.version }),
    'KEY_EXISTS',
    'overwrite: false is stronger'
  )
  isFailure(t, await call(app, 'set_memory', { key: 'v', value: 1, if_version: -1 }), 'INVALID_INPUT')
})

t.test('what has expired is absent for if_version', async t => {
  const { version } = await ok(app, 'set_memory', { key: 'brief', value: 1, expires_in: 1000 })
  await expire('brief')
  isFailure(t, await call(app, 'set_memory', { key: 'brief', value: 2, if_version: version }), 'VERSION_CONFLICT')
  isFailure(t, await call(app, 'delete_memory', { key: 'brief', if_version: version }), 'VERSION_CONFLICT')
  const anew = await ok(app, 'set_memory', { key: 'brief', value: 2, if_version: 0 })
  t.ok(anew.version > version)
  t.equal((await ok(app, 'memory_history', { key: 'brief' })).count, 1, 'its history ended with it')
})

t.test('delete_memory with if_version', async t => {
  const { version } = await ok(app, 'set_memory', { key: 'd', value: 1 })
  for (const if_version of [0, version + 1]) {
    const refused = await call(app, 'delete_memory', { key: 'd', if_version })
    isFailure(t, refused, 'VERSION_CONFLICT')
    t.equal(refused.body.context.version, version)
  }
  t.match(await ok(app, 'delete_memory', { key: 'd', if_version: version }), { deleted: true, count: 1 })
  t.match(await ok(app, 'delete_memory', { key: 'd', if_version: 0 }), { deleted: false, count: 0 })
  isFailure(t, await call(app, 'delete_memory', { key: 'd', if_version: version }), 'VERSION_CONFLICT')
})

t.test('of those who race with one version, one wins, on two replicas', async t => {
  let { version } = await ok(app, 'set_memory', { key: 'race', value: 'start' })
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      range(20).map(i => call(replica(i), 'set_memory', { key: 'race', value: i, if_version: version }))
    )
    const won = answers.filter(({ status }) => status === 200)
    t.equal(won.length, 1)
    t.equal(answers.filter(({ body }) => body.code === 'VERSION_CONFLICT').length, 19)
    version = won[0]?.body.version
  }
  const fresh = await Promise.all(
    range(20).map(i => call(replica(i), 'set_memory', { key: 'fresh', value: i, if_version: 0 }))
  )
  t.equal(fresh.filter(({ status }) => status === 200).length, 1, 'so too for a new key')
})

t.test('increments are not lost, on two replicas', async t => {
  await ok(app, 'set_namespace', { namespace: 'counts', readers: [], writers: ['*'] })
  const as = (i: number) => ({ agent_id: `counter-${i % 10}` })
  const answers = await Promise.all(
    range(200).map(i =>
      ok(replica(i), 'update_memory', { key: 'n', op: 'increment', value: 1, namespace: 'counts' }, as(i))
    )
  )
  t.same(
    answers.map(({ value }) => value).sort((a: number, b: number) => a - b),
    range(200).map(i => i + 1),
    'each sees a number of its own'
  )
  t.equal(new Set(answers.map(({ version }) => version)).size, 200)
  await Promise.all(
    range(60).map(i =>
      ok(replica(i), 'update_memory', { key: 'list', op: 'append', value: i, namespace: 'counts' }, as(i))
    )
  )
  const { value } = await ok(other, 'get_memory', { key: 'list', namespace: 'counts' })
  t.same(
    value.sort((a: number, b: number) => a - b),
    range(60)
  )
})

t.test('what update_memory does', async t => {
  const update = async (key: string, op: string, value: unknown, more = {}) =>
    ok(app, 'update_memory', { key, op, value, ...more })
  t.match(await update('u-n', 'increment', 2), { value: 2, scope: 'global', namespace: null, expires_at: null })
  t.equal((await update('u-n', 'increment', -0.5)).value, 1.5)
  t.same((await update('u-l', 'append', 'a')).value, ['a'])
  t.same((await update('u-l', 'append', ['b'])).value, ['a', ['b']])
  t.same((await update('u-l', 'append', null)).value, ['a', ['b'], null])
  await ok(app, 'set_memory', { key: 'u-t', value: 'one' })
  t.equal((await update('u-t', 'append', ' two')).value, 'one two')
  t.same((await update('u-o', 'merge', { a: 1, b: { c: 1 } })).value, { a: 1, b: { c: 1 } })
  t.same((await update('u-o', 'merge', { b: null, d: 2 })).value, { a: 1, b: null, d: 2 })
  const { version } = await update('u-o', 'merge', {}, {})
  t.same((await update('u-o', 'merge', { e: 1 }, { if_version: version })).value, { a: 1, b: null, d: 2, e: 1 })
  isFailure(
    t,
    await call(app, 'update_memory', { key: 'u-o', op: 'merge', value: {}, if_version: version }),
    'VERSION_CONFLICT'
  )
  isFailure(
    t,
    await call(app, 'update_memory', { key: 'u-o', op: 'merge', value: {}, if_version: 0 }),
    'VERSION_CONFLICT'
  )
  for (const [key, op, value] of [
    ['u-o', 'increment', 1],
    ['u-o', 'append', 1],
    ['u-n', 'merge', {}],
    ['u-t', 'append', 1],
    ['u-n', 'increment', 'one'],
    ['u-o', 'merge', [1]],
    ['u-n', 'increment', 2 ** 53],
    ['u-n', 'divide', 1]
  ] as const)
    isFailure(t, await call(app, 'update_memory', { key, op, value }), 'INVALID_INPUT', `${op} ${key}`)
  await update('u-n', 'increment', Number.MAX_SAFE_INTEGER - 2)
  isFailure(t, await call(app, 'update_memory', { key: 'u-n', op: 'increment', value: 5 }), 'INVALID_INPUT', 'too much')
})

t.test('update_memory keeps the end of a value, and begins anew after it', async t => {
  const { expires_at } = await ok(app, 'set_memory', { key: 'u-e', value: 5, expires_in: 1000, metadata: { a: 1 } })
  t.match(await ok(app, 'update_memory', { key: 'u-e', op: 'increment', value: 1 }), { value: 6, expires_at })
  t.same((await ok(app, 'get_memory', { key: 'u-e' })).metadata, { a: 1 })
  await expire('u-e')
  t.match(await ok(app, 'update_memory', { key: 'u-e', op: 'append', value: 1 }), { value: [1], expires_at: null })
  const session_id = await newSession(app)
  await ok(app, 'close_session', { session_id })
  isFailure(t, await call(app, 'update_memory', { key: 'k', op: 'append', value: 1, session_id }), 'SESSION_CLOSED')
})

t.test('history: the last twenty versions, who and when', async t => {
  await ok(app, 'set_namespace', { namespace: 'old', readers: [], writers: ['*'] })
  const at = { key: 'h', namespace: 'old' }
  const versions: number[] = []
  for (const i of range(25))
    versions.push((await ok(app, 'set_memory', { ...at, value: `v${i}` }, { agent_id: `author-${i % 2}` })).version)
  const history = await ok(app, 'memory_history', at)
  t.equal(history.count, 20)
  t.equal(history.has_more, false)
  t.same(
    history.versions.map(({ version, value, changed_by }: any) => [version, value, changed_by]),
    range(20).map(i => [versions[24 - i], `v${24 - i}`, `author-${(24 - i) % 2}`])
  )
  t.match((await ok(app, 'memory_history', { ...at, limit: 3 })).has_more, true)
  const { expires_at } = await ok(app, 'set_memory', { ...at, value: 'ends', expires_in: 1000 })
  await ok(app, 'get_memory', { ...at, touch: true })
  t.equal((await ok(app, 'memory_history', at)).versions[0].value, 'ends', 'to renew is no version')
  t.ok(expires_at)
  await ok(app, 'delete_memory', at)
  isFailure(t, await call(app, 'memory_history', at), 'MEMORY_NOT_FOUND')
  await ok(app, 'set_memory', { ...at, value: 'again' })
  t.equal((await ok(app, 'memory_history', at)).count, 1, 'it ends with the value')
  const rows = await sql<{ n: number }>`select count(*)::int as n from memory_history where key = 'h'`.execute(
    app.database.db
  )
  t.equal(rows.rows[0]?.n, 0)
})

t.test('histories of many values that are written at once', async t => {
  const as = { agent_id: 'of many' }
  const keys = range(100).map(i => `many ${i}`)
  const set = async (value: number) =>
    ok(app, 'batch_memory', { operations: keys.map(key => ({ op: 'set', key, value, expires_in: 1000 })) }, as)
  await set(0)
  await ok(app, 'list_memory', { prefix: 'many', limit: 100, touch: true }, as)
  for (const value of range(24)) await set(value + 1)
  const { rows } = await sql<{ values: number[] }>`select array_agg(value order by version) as values
    from memory_history where agent_id = 'of many' group by key`.execute(app.database.db)
  t.equal(rows.length, 100)
  for (const { values } of rows)
    t.same(
      values,
      range(19).map(i => i + 5)
    )
})

t.test('a value has no more than twenty versions, however it is written', async t => {
  const set = { op: 'set', value: 2 }
  const batch = async (operation: object) => (await ok(app, 'batch_memory', { operations: [operation] })).results[0]
  type Write = (key: string, if_version: number) => Promise<{ version: number }>
  const ways: Record<string, Write> = {
    set: async key => ok(app, 'set_memory', { key, value: 2 }),
    'set if': async (key, if_version) => ok(app, 'set_memory', { key, value: 2, if_version }),
    update: async key => ok(app, 'update_memory', { key, op: 'increment', value: 1 }),
    batch: async key => batch({ ...set, key }),
    'batch if': async (key, if_version) => batch({ ...set, key, if_version })
  }
  for (const [name, write] of Object.entries(ways)) {
    const key = `written by ${name}`
    let { version } = await ok(app, 'set_memory', { key, value: 1 })
    for (const _ of range(22)) ({ version } = await write(key, version))
    const { rows } = await sql`select from memory_history where key = ${key}`.execute(app.database.db)
    t.equal(rows.length, 19, name)
  }
})

t.test('history counts towards the quota', async t => {
  const small = await startApp(t, { QUOTA_MEMORY_BYTES: '10000' })
  const value = 'x'.repeat(3000)
  for (const i of range(3)) await ok(small, 'set_memory', { key: 'q', value: `${i}${value}` })
  isFailure(t, await call(small, 'set_memory', { key: 'q', value: `3${value}` }), 'QUOTA_EXCEEDED')
  t.equal((await ok(small, 'memory_history', { key: 'q' })).count, 3, 'nothing of it was written')
  await ok(small, 'delete_memory', { key: 'q' })
  const { rows } = await sql<{ entries: number; bytes: number }>`select entries, bytes from memory_usage
    where agent_id = 'agent-1'`.execute(small.database.db)
  t.same(rows, [{ entries: 0, bytes: 0 }])
  await ok(small, 'set_memory', { key: 'q', value })
})

t.test('an idempotency key holds, and the first answer comes again', async t => {
  const set = { key: 'once', value: 1, idempotency_key: 'once' }
  const first = await ok(app, 'set_memory', set)
  t.same(await ok(other, 'set_memory', set), first)
  isFailure(t, await call(app, 'set_memory', { ...set, value: 2 }), 'IDEMPOTENCY_CONFLICT')
  const increment = { key: 'once-n', op: 'increment', value: 1, idempotency_key: 'twice' }
  const answers = await Promise.all(range(10).map(i => ok(replica(i), 'update_memory', increment)))
  t.equal((await ok(app, 'get_memory', { key: 'once-n' })).value, 1)
  for (const answer of answers) t.equal(answer.value, 1)
  const many = await Promise.all(
    range(10).map(i => ok(replica(i), 'set_memory', { key: 'many', value: 1, idempotency_key: 'many' }))
  )
  t.equal(new Set(many.map(({ version }) => version)).size, 1)
})

t.test('a repeat gets the first answer, whatever has become of the place', async t => {
  const session_id = await newSession(app)
  const set = { key: 'kept', value: 1, session_id, idempotency_key: 'repeat' }
  const first = await ok(app, 'set_memory', set)
  await ok(app, 'close_session', { session_id })
  t.same(await ok(other, 'set_memory', set), first)
  await ok(app, 'delete_session', { session_id })
  isFailure(t, await call(app, 'set_memory', { ...set, value: 2 }), 'IDEMPOTENCY_CONFLICT')
  isFailure(t, await call(app, 'set_memory', { ...set, idempotency_key: 'new' }), 'SESSION_NOT_FOUND')
})

t.test('a value from before versions came from a sequence keeps the one it has', async t => {
  const as = { agent_id: 'from-before' }
  for (const key of ['old', 'older'])
    await sql`insert into agent_memory (agent_id, key, value, value_size, version, revision)
      values ('from-before', ${key}, '1', 1, 1, null)`.execute(app.database.db)
  t.match(await ok(app, 'get_memory', { key: 'old' }, as), { version: 1, updated_by: 'from-before' })
  isFailure(t, await call(app, 'set_memory', { key: 'old', value: 2, if_version: 0 }, as), 'VERSION_CONFLICT')
  t.ok((await ok(app, 'set_memory', { key: 'old', value: 2, if_version: 1 }, as)).version > 1)
  t.same(
    (await ok(app, 'memory_history', { key: 'old' }, as)).versions.map(({ value }: any) => value),
    [2, 1]
  )
  t.match(await ok(app, 'update_memory', { key: 'older', op: 'increment', value: 1, if_version: 1 }, as), { value: 2 })
  t.match(await ok(app, 'list_memory', { order: 'key' }, as), { entries: [{ key: 'old' }, { key: 'older' }] })
})
