import t from 'tap'
import { sql } from 'kysely'
import { call, newSession, ok, startApp } from '../helper.js'
import { fronts, pagesOf } from '../support/pages.js'
import { isFailure } from '../support/failure.js'

/** What list_memory takes besides pages, deletion by prefix, touch, and how large values and answers may be. */

const app = await startApp(t)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const keysIn = async (args: Record<string, unknown>, as = {}) =>
  (await ok(app, 'list_memory', { order: 'key', ...args }, as)).entries.map(({ key }: any) => key)

t.test('values, and the order of keys', async t => {
  const as = { agent_id: 'ordered' }
  const session_id = await newSession(app)
  const values: Record<string, unknown> = { c: null, a: [1], b: { x: 'y' }, d: 'text' }
  for (const [key, value] of Object.entries(values)) await ok(app, 'set_memory', { key, value }, as)
  await ok(app, 'set_memory', { key: 'in session', value: 7, session_id }, as)
  const { entries } = await ok(app, 'list_memory', { include_values: true, order: 'key' }, as)
  t.same(
    entries.map(({ key, value }: any) => [key, value]),
    Object.keys(values)
      .sort()
      .map(key => [key, values[key]])
  )
  t.notOk('value' in (await ok(app, 'list_memory', {}, as)).entries[0])
  t.same(
    (await ok(app, 'list_memory', {}, as)).entries.map(({ key }: any) => key),
    ['d', 'b', 'a', 'c']
  )
  for (const limit of [1, 2, 3]) {
    const pages = await pagesOf(fronts(app, as).REST, 'list_memory', {
      session_id: 'all',
      order: 'key',
      include_values: true,
      limit
    })
    t.same(
      pages.flatMap(page => page.entries).map(({ key, value }: any) => [key, value]),
      [
        ...Object.keys(values)
          .sort()
          .map(key => [key, values[key]]),
        ['in session', 7]
      ],
      `${limit} a page`
    )
  }
})

t.test('filter', async t => {
  const as = { agent_id: 'filterer' }
  const values: Record<string, unknown> = {
    one: { n: 1, s: 'a', ok: true, tags: ['x'] },
    two: { n: 2, s: 'b', ok: false, none: null },
    three: { n: 3.5, s: 'Z' },
    text: { n: '2' },
    list: [1, 2],
    number: 2,
    string: 'n'
  }
  for (const [key, value] of Object.entries(values)) await ok(app, 'set_memory', { key, value }, as)
  for (const [filter, keys] of [
    [{}, Object.keys(values)],
    [{ n: 2 }, ['two']],
    [{ n: { $eq: 2 } }, ['two']],
    [{ n: { $ne: 2 } }, ['one', 'three', 'text']],
    [{ n: { $gt: 1 } }, ['two', 'three']],
    [{ n: { $gte: 1, $lt: 3.5 } }, ['one', 'two']],
    [{ n: { $lte: 1 }, s: 'a' }, ['one']],
    [{ n: { $lte: 1 }, s: 'b' }, []],
    [{ s: { $gt: 'a' } }, ['two']],
    [{ s: { $lt: 'a' } }, ['three']],
    [{ n: { $gt: '1' } }, ['text']],
    [{ ok: true }, ['one']],
    [{ none: null }, ['two']],
    [{ tags: ['x'] }, ['one']],
    [{ missing: { $ne: 1 } }, ['one', 'two', 'three', 'text']],
    [{ missing: 1 }, []],
    [{ "n'; drop table agent_memory; --": 1 }, []]
  ] as Array<[Record<string, unknown>, string[]]>)
    t.same(await keysIn({ filter }, as), [...keys].sort(), JSON.stringify(filter))
  const pages = await pagesOf(fronts(app, as).REST, 'list_memory', { filter: { n: { $gt: 0 } }, limit: 1 })
  t.same(
    pages.flatMap(page => page.entries).map(({ key }: any) => key),
    ['three', 'two', 'one'],
    'over pages'
  )
  for (const filter of [
    { n: { $in: [1] } },
    { n: { $gt: 1, other: 2 } },
    { n: { $gt: null } },
    { n: { $gt: [1] } },
    { n: { $lt: true } },
    { n: 'x'.repeat(1001) },
    { ['f'.repeat(256)]: 1 },
    Object.fromEntries(range(21).map(i => [`f${i}`, i]))
  ]) {
    const answer = await call(app, 'list_memory', { filter }, as)
    isFailure(t, answer, 'INVALID_INPUT', JSON.stringify(filter).slice(0, 40))
    t.match(answer.body.context, { argument: 'filter', given: /./, allowed: /./ })
  }
})

t.test('up to a thousand, and deletion by prefix', async t => {
  const as = { agent_id: 'many' }
  await sql`insert into agent_memory (agent_id, key, value, value_size)
    select 'many', 'key ' || n, '1', 1 from generate_series(1, 1500) n`.execute(app.database.db)
  const { count, has_more } = await ok(app, 'list_memory', { limit: 1000 }, as)
  t.same([count, has_more], [1000, true])
  isFailure(t, await call(app, 'list_memory', { limit: 1001 }, as), 'INVALID_INPUT')
  for (const [key, value] of [
    ['50%', 1],
    ['50 percent', 1],
    ['a_b', 1],
    ['axb', 1]
  ] as const)
    await ok(app, 'set_memory', { key, value }, as)
  t.match(await ok(app, 'delete_memory', { prefix: '50%' }, as), { deleted: true, count: 1 }, '% is a character')
  t.match(await ok(app, 'delete_memory', { prefix: 'a_' }, as), { deleted: true, count: 1 }, '_ is a character')
  t.match(await ok(app, 'delete_memory', { prefix: 'key 1' }, as), { deleted: true, count: 612 })
  t.match(await ok(app, 'delete_memory', { prefix: 'key 1' }, as), { deleted: false, count: 0 })
  t.match(await ok(app, 'delete_memory', { prefix: 'key' }, { agent_id: 'another' }), { count: 0 }, "one's own")
  // Behind each of these texts stands another one in the order of keys.
  for (const prefix of ['z', '\ud7ff', '🚀', '\u{10ffff}', 'a\u{10ffff}\u{10ffff}']) {
    for (const key of [prefix, `${prefix}\u{10fffd}x`]) await ok(app, 'set_memory', { key, value: 1 }, as)
    const { entries } = await ok(app, 'list_memory', { prefix, order: 'key' }, as)
    t.same(
      entries.map(({ key }: any) => key),
      [prefix, `${prefix}\u{10fffd}x`]
    )
  }
  t.match(await ok(app, 'delete_memory', { prefix: '\u{10ffff}' }, as), { count: 2 }, 'the last character of all')
  for (const args of [{}, { key: 'k', prefix: 'k' }, { prefix: '' }, { prefix: 'k', if_version: 1 }])
    isFailure(t, await call(app, 'delete_memory', args, as), 'INVALID_INPUT', JSON.stringify(args))
})

t.test('touch keeps a value as long again', async t => {
  const as = { agent_id: 'toucher' }
  const set = async (key: string, expires_in: number) => ok(app, 'set_memory', { key, value: 1, expires_in }, as)
  for (const key of ['a', 'b']) await set(key, 1000)
  await set('for ever', 0)
  /** As if time had passed. */
  const age = async () =>
    sql`update agent_memory set expires_at = expires_at - interval '900 seconds'
      where agent_id = 'toucher' and expires_at is not null`.execute(app.database.db)
  const left = (entry: any) => (Date.parse(entry.expires_at) - Date.now()) / 1000
  await age()
  t.ok(left(await ok(app, 'get_memory', { key: 'a' }, as)) < 200)
  const touched = await ok(app, 'get_memory', { key: 'a', touch: true }, as)
  t.ok(left(touched) > 900)
  t.equal((await ok(app, 'get_memory', { key: 'a' }, as)).expires_at, touched.expires_at)
  t.ok(left(await ok(app, 'get_memory', { key: 'b' }, as)) < 200)
  t.equal((await ok(app, 'get_memory', { key: 'for ever', touch: true }, as)).expires_at, null)
  await set('b', 1000)
  await age()
  const pages = await pagesOf(fronts(app, as).REST, 'list_memory', { touch: true, limit: 1 })
  t.same(
    pages
      .flatMap(page => page.entries)
      .map((entry: any) => [entry.key, entry.expires_at === null || left(entry) > 900]),
    [
      ['a', true],
      ['b', true],
      ['for ever', true]
    ],
    'each comes once'
  )
  isFailure(t, await call(app, 'list_memory', { touch: true, order: 'updated' }, as), 'INVALID_INPUT')
  const rows = await app.database.db
    .selectFrom('audit_log')
    .select('action')
    .where('event_type', '=', 'memory_renewed')
    .where('agent_id', '=', 'toucher')
    .execute()
  t.same(rows.map(({ action }) => action).sort(), ['get_memory', 'list_memory', 'list_memory'])
})

t.test('values of four megabytes, and answers of eight', async t => {
  const as = { agent_id: 'large' }
  const MIB = 1024 * 1024
  const value = 'é'.repeat(2 * MIB - 1)
  t.equal(Buffer.byteLength(JSON.stringify(value)), 4 * MIB)
  for (const key of ['a', 'b', 'c']) await ok(app, 'set_memory', { key, value }, as)
  t.equal((await ok(app, 'get_memory', { key: 'a' }, as)).value, value)
  isFailure(t, await call(app, 'set_memory', { key: 'd', value: `${value}é` }, as), 'CONTENT_TOO_LARGE')
  await ok(app, 'update_memory', { key: 'l', op: 'append', value: value.slice(0, MIB) }, as)
  isFailure(
    t,
    await call(app, 'update_memory', { key: 'l', op: 'append', value: value.slice(0, MIB) }, as),
    'CONTENT_TOO_LARGE'
  )
  await ok(app, 'delete_memory', { key: 'l' }, as)
  const pages = await pagesOf(fronts(app, as).REST, 'list_memory', { include_values: true, order: 'key' })
  t.same(
    pages.map(({ count }) => count),
    [1, 1, 1],
    'at least one, and no more than an answer holds'
  )
  for (const page of pages) t.ok(Buffer.byteLength(JSON.stringify(page)) <= 8 * MIB)
  for (let i = 0; i < 3; i++) await ok(app, 'set_memory', { key: 'a', value }, as)
  const history = await ok(app, 'memory_history', { key: 'a' }, as)
  t.match(history, { has_more: true })
  t.ok(history.count < 4 && history.count >= 1)
  const small = await startApp(t, { MEMORY_VALUE_LIMIT: '2000' })
  await ok(small, 'set_memory', { key: 'k', value: 'x'.repeat(1998) })
  isFailure(t, await call(small, 'set_memory', { key: 'k', value: 'x'.repeat(1999) }), 'CONTENT_TOO_LARGE')
})
