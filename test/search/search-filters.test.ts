import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'

/** What narrows search_context; how it finds and scores is in test/search/search.test.ts. */

const app = await startApp(t)
const [one, two] = [await newSession(app), await newSession(app)]

async function write(
  session_id: string,
  content: string,
  more: Record<string, unknown> = {},
  agent_id = 'ann'
): Promise<any> {
  return ok(app, 'add_message', { session_id, content, ...more }, { agent_id, agent_type: 'kind' })
}

const first = await write(one, 'walrus one', {
  metadata: { task: 'a', priority: 1, tags: ['x', 'y'], nested: { deep: true } }
})
await new Promise(resolve => setTimeout(resolve, 5))
const second = await write(one, 'walrus two', { metadata: { task: 'b', priority: 2 } }, 'bob')
await new Promise(resolve => setTimeout(resolve, 5))
await write(two, 'walrus three', { metadata: { task: 'a' } })
await write(one, 'walrus four', { visibility: 'private' })
await write(one, 'walrus five', { visibility: 'private' }, 'bob')
await write(one, 'unrelated')

async function find(args: Record<string, unknown>, agent_id = 'ann'): Promise<string[]> {
  const { results, message_count, query, threshold, search_scope } = await ok(
    app,
    'search_context',
    { query: 'walrus', limit: 100, ...args },
    { agent_id, agent_type: 'kind' }
  )
  t.same(
    [message_count, query, threshold, search_scope],
    [results.length, args.query ?? 'walrus', args.fuzzy_threshold ?? 60, args.search_scope ?? 'all']
  )
  return results.map((result: any) => result.message.content.replace('walrus ', '')).sort()
}

t.test('sessions', async t => {
  t.same(await find({ session_id: one }), ['four', 'one', 'two'])
  t.same(await find({ session_id: two }), ['three'])
  t.same(await find({}), ['four', 'one', 'three', 'two'], 'all of them')
  t.same(await find({}, 'bob'), ['five', 'one', 'three', 'two'])
})

t.test('scope', async t => {
  t.same(await find({ search_scope: 'public' }), ['one', 'three', 'two'])
  t.same(await find({ search_scope: 'private' }), ['four'])
  t.same(await find({ search_scope: 'private' }, 'carl'), [])
  t.same(
    (await ok(app, 'search_context', { query: 'walrus', search_scope: 'private' }, { admin: true })).message_count,
    2
  )
})

t.test('sender', async t => {
  t.same(await find({ sender: 'ann' }), ['four', 'one', 'three'])
  t.same(await find({ sender: 'bob' }), ['two'])
  t.same(await find({ sender: 'ANN' }), [])
  t.same(await find({ sender: 'bob', search_scope: 'private' }), [], "not another's")
})

t.test('time, both ends included', async t => {
  t.same(await find({ session_id: one, end_time: first.timestamp }), ['one'])
  t.same(await find({ session_id: one, start_time: first.timestamp, end_time: second.timestamp }), ['one', 'two'])
  t.same(await find({ session_id: one, start_time: second.timestamp, search_scope: 'public' }), ['two'])
  t.same(await find({ end_time: '2020-01-01' }), [])
  t.same((await find({ end_time: first.timestamp.slice(0, 10) })).length, 4, 'the whole of the day')
  isFailure(t, await call(app, 'search_context', { query: 'x', start_time: 'yesterday' }), 'INVALID_DATETIME')
  isFailure(
    t,
    await call(app, 'search_context', { query: 'x', start_time: '2026-01-02', end_time: '2026-01-01' }),
    'INVALID_DATETIME'
  )
})

t.test('metadata_filter: what is contained', async t => {
  t.same(await find({ metadata_filter: { task: 'a' } }), ['one', 'three'])
  t.same(await find({ metadata_filter: { task: 'a', priority: 1 } }), ['one'])
  t.same(await find({ metadata_filter: { tags: ['y'] } }), ['one'])
  t.same(await find({ metadata_filter: { nested: { deep: true } } }), ['one'])
  t.same(await find({ metadata_filter: { priority: '1' } }), [], 'a string is no number')
  t.same(await find({ metadata_filter: { missing: null } }), [])
  t.same((await find({ metadata_filter: {} })).length, 4)
  t.same(await find({ metadata_filter: '{"task":"b"}' }), ['two'])
})

t.test('all of them together', async t => {
  t.same(
    await find({
      session_id: one,
      sender: 'ann',
      search_scope: 'public',
      metadata_filter: { task: 'a' },
      start_time: first.timestamp,
      end_time: first.timestamp
    }),
    ['one']
  )
  t.same(await find({ session_id: two, sender: 'bob' }), [])
})

t.test('threshold and limit', async t => {
  t.same(await find({ session_id: one, query: 'walrsu one', fuzzy_threshold: 100 }), [])
  const scores = (
    await ok(app, 'search_context', { session_id: one, query: 'walrsu one', fuzzy_threshold: 0, limit: 100 })
  ).results.map((result: any) => result.score)
  t.ok(
    scores.length > 0 &&
      scores.every(
        (score: number, i: number) =>
          score >= 0 && score < 100 && Math.round(score * 100) / 100 === score && (i === 0 || score <= scores[i - 1])
      ),
    'best first, two decimals'
  )
  for (const result of (await ok(app, 'search_context', { query: 'walrsu one', fuzzy_threshold: 0, limit: 100 }))
    .results) {
    t.equal(result.relevance, result.score >= 80 ? 'high' : result.score >= 60 ? 'medium' : 'low')
  }
  t.same(
    (await ok(app, 'search_context', { query: 'walrus', limit: 2 })).results.map(
      (result: any) => result.message.content
    ),
    ['walrus three', 'walrus two'],
    'newest first among equals'
  )
  for (const fuzzy_threshold of [-1, 100.5, 'high'])
    isFailure(t, await call(app, 'search_context', { query: 'x', fuzzy_threshold }), 'INVALID_INPUT')
  t.match(await ok(app, 'search_context', { query: 'x'.repeat(500), fuzzy_threshold: '99.5' }), {
    threshold: 99.5,
    results: []
  })
  isFailure(t, await call(app, 'search_context', { query: 'x'.repeat(501) }), 'INVALID_INPUT')
})

t.test('what was just written is found on any replica', async t => {
  const replica = await startApp(t, {}, { url: app.url })
  for (let i = 0; i < 5; i++) {
    await write(two, `ibex number${i}`)
    t.equal(
      (await ok(replica, 'search_context', { session_id: two, query: `ibex number${i}` })).results[0]?.message.content,
      `ibex number${i}`
    )
  }
})
