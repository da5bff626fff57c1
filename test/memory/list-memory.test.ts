import { sql } from 'kysely'
import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { fronts, pagesOf, tamperedWith } from '../support/pages.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

/** The pages of list_memory, while others write. */

const app = await startApp(t)

const STORED = 2000
const keysOf = (pages: any[]) => pages.flatMap(page => page.entries).map(({ key }) => key as string)

/** Stores many values of an agent, several of one moment; the last ones are the newest. */
async function storeMany(agent_id: string) {
  await sql`insert into agent_memory (agent_id, key, value, value_size, created_at, updated_at)
    select ${agent_id}, 'key ' || n, '1', 1, at, at
    from generate_series(1, ${STORED}::int) n,
      lateral (select timestamptz '2026-01-01Z' + (n / 7) * interval '1 second' as at) moment`.execute(app.database.db)
}

for (const [i, front] of (['REST', 'MCP of 2025', 'MCP of 2026'] as const).entries()) {
  t.test(`over ${front}: no key is lost and no version comes twice, while others write`, async t => {
    const agent_id = `owner-${i}`
    const ask = fronts(app, { agent_id })[front]
    await storeMany(agent_id)
    const first = await ask('list_memory', { limit: 200 })
    let stopped = false
    let n = 0
    const writers = [0, 1, 2].map(async () => {
      while (!stopped) {
        // What was shown, what was not, and new keys.
        const key = n % 3 === 0 ? `new ${n}` : `key ${1 + ((n * 37) % STORED)}`
        n++
        await ok(app, 'set_memory', { key, value: n }, { agent_id })
      }
    })
    const pages = await pagesOf(ask, 'list_memory', { limit: 100 }, async () => {
      const before = n
      await until(() => n > before + 3, 'others write')
    })
    stopped = true
    await Promise.all(writers)
    t.ok(n > 50, `${n} were written meanwhile`)
    const keys = keysOf(pages)
    const versions = pages.flatMap(page => page.entries).map(({ key, version }) => `${key} ${version}`)
    t.same(
      Array.from({ length: STORED }, (_, i) => `key ${i + 1}`).filter(key => !keys.includes(key)),
      [],
      'no key is lost'
    )
    t.equal(new Set(versions).size, versions.length, 'no version of a key comes twice')
    t.equal(first.has_more, true)
  })
}

t.test('what nobody changes comes once, last updated first', async t => {
  await storeMany('calm')
  const pages = await pagesOf(fronts(app, { agent_id: 'calm' }).REST, 'list_memory', { limit: 199 })
  const all = await sql<{ key: string }>`select key from agent_memory where agent_id = 'calm'
    order by updated_at desc, session_id, key`.execute(app.database.db)
  t.same(
    keysOf(pages),
    all.rows.map(({ key }) => key)
  )
  const tens = await pagesOf(fronts(app, { agent_id: 'calm' }).REST, 'list_memory', { limit: 5, prefix: 'key 10' })
  t.equal(keysOf(tens).length, 111)
})

t.test('a transaction that was open at the first page is not lost', async t => {
  const as = { agent_id: 'late' }
  for (const key of ['a', 'b', 'c', 'd']) await ok(app, 'set_memory', { key, value: 1 }, as)
  const hold = await app.database.db.startTransaction().execute()
  await sql`update agent_memory set revision = 999999, updated_at = clock_timestamp()
    where agent_id = 'late' and key = 'a'`.execute(hold)
  const { entries, next_cursor } = await ok(app, 'list_memory', { limit: 2 }, as)
  t.same(
    entries.map(({ key }: any) => key),
    ['d', 'c']
  )
  await hold.commit().execute()
  // Its time lies before the first page; it was not to be seen there.
  const rest = await ok(app, 'list_memory', { limit: 5, cursor: next_cursor }, as)
  t.match(rest, {
    entries: [
      { key: 'b', version: Number },
      { key: 'a', version: 999999 }
    ],
    has_more: false,
    next_cursor: null
  })
  t.equal(rest.entries.length, 2)
})

t.test('what changes while a client pages comes at the end, in order and once, and the list ends', async t => {
  const as = { agent_id: 'busy' }
  const session_id = await newSession(app)
  for (const key of ['a', 'b', 'c', 'd', 'e']) await ok(app, 'set_memory', { key, value: 1 }, as)
  await ok(app, 'set_memory', { key: 'a', value: 1, session_id }, as)
  let page = await ok(app, 'list_memory', { limit: 2, session_id: 'all' }, as)
  t.same(
    page.entries.map(({ key, scope }: any) => [key, scope]),
    [
      ['a', 'session'],
      ['e', 'global']
    ]
  )
  const seen: any[] = []
  for (let turn = 0; page.has_more && turn < 20; turn++) {
    for (const key of ['e', 'b', 'a']) await ok(app, 'set_memory', { key, value: turn }, as)
    page = await ok(app, 'list_memory', { limit: 1, session_id: 'all', cursor: page.next_cursor }, as)
    seen.push(...page.entries.map(({ key }: any) => key))
  }
  t.same(seen, ['d', 'c', 'a', 'b', 'e'])
})

t.test('a cursor that was tampered with, or is of another list', async t => {
  const as = { agent_id: 'calm' }
  const { next_cursor } = await ok(app, 'list_memory', { limit: 5, prefix: 'key' }, as)
  for (const cursor of tamperedWith(next_cursor)) {
    const answer = await call(app, 'list_memory', { cursor, prefix: 'key' }, as)
    isFailure(t, answer, 'INVALID_INPUT', cursor)
    t.match(answer.body, { error: /is not a next_cursor of this tool/, context: { argument: 'cursor' } })
  }
  for (const args of [{}, { prefix: 'k' }, { prefix: 'key', session_id: 'all' }])
    isFailure(
      t,
      await call(app, 'list_memory', { ...args, cursor: next_cursor }, as),
      'INVALID_INPUT',
      JSON.stringify(args)
    )
  t.same(
    (await ok(app, 'list_memory', { cursor: next_cursor, prefix: 'key' }, { agent_id: 'nobody' })).entries,
    [],
    "another agent's cursor shows nothing of that agent"
  )
})
