import { emptyCheckpoint, uuid6 } from '@langchain/langgraph-checkpoint'
import t from 'tap'
import { SharedContext } from '../../../clients/typescript/src/index.js'
import { SharedContextSaver, SharedContextStore } from '../../../clients/typescript/src/langgraph/index.js'
import { decoded, encoded, inverted } from '../../../clients/typescript/src/langgraph/names.js'
import { API_KEY, listen, startApp } from '../../helper.js'

/** The adapters for LangGraph.js, with its real base classes, against the service. */

const app = await startApp(t)
const client = new SharedContext({ url: await listen(app), apiKey: API_KEY, agentId: 'graph', agentType: 'langgraph' })

t.test('names come back, whatever they hold, and keep their order where that matters', async t => {
  for (const name of [
    '',
    ' ',
    'a b',
    ' edge ',
    '%',
    '%41',
    'a/b',
    'é',
    'e\u0301',
    '\u212b',
    '世界',
    '🚀',
    'x\u200by',
    'a\nb',
    'a.b'
  ])
    t.equal(decoded(encoded(name)), name, JSON.stringify(name))
  const ids = ['a', 'ab', 'b', '1', '10', '2', 'ü', '🚀', ...[1, 2, 3].map(uuid6)]
  t.same(
    [...ids].sort((one, other) => (inverted(one) < inverted(other) ? -1 : 1)),
    [...ids].sort((one, other) => Buffer.compare(Buffer.from(other), Buffer.from(one)))
  )
})

t.test('a store keeps, finds, lists and deletes values', async t => {
  const store = new SharedContextStore(client, { root: 'store-of-a-test' })
  t.equal(await store.get(['users', 'ada'], 'prefs'), null)
  await store.put(['users', 'ada'], 'prefs', { theme: 'dark', size: 3, nested: { a: [1, null] } })
  const item = await store.get(['users', 'ada'], 'prefs')
  t.match(item, {
    namespace: ['users', 'ada'],
    key: 'prefs',
    value: { theme: 'dark', size: 3, nested: { a: [1, null] } }
  })
  t.ok(item !== null && item.createdAt.getTime() > 0 && item.updatedAt >= item.createdAt)
  await store.put(['users', 'ada'], 'prefs', { theme: 'light' })
  const [again, none] = await store.batch([
    { namespace: ['users', 'ada'], key: 'prefs' },
    { namespace: ['users', 'ada'], key: 'other' }
  ])
  t.match(again, { value: { theme: 'light' }, createdAt: item?.createdAt })
  t.equal(none, null)

  const odd = ['a/b', '%', 'e\u0301']
  await store.put(odd, 'key/with %', { odd: true })
  t.match(await store.get(odd, 'key/with %'), { namespace: odd, key: 'key/with %' })
  t.same(await store.listNamespaces({ prefix: ['a/b'] }), [odd])

  await store.batch(
    Array.from({ length: 12 }, (_, n) => ({
      namespace: ['docs', n % 2 ? 'odd' : 'even'],
      key: `doc ${n}`,
      value: { n, title: `The ${n === 3 ? 'parser leaks memory' : 'weather is fine'}`, tags: ['x', String(n)] }
    }))
  )
  const numbers = async (...args: Parameters<typeof store.search>) =>
    (await store.search(...args)).map(({ value }) => value.n as number).sort((a, b) => a - b)
  t.same(await numbers(['docs'], { limit: 100 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  t.same(await numbers(['docs', 'odd'], { limit: 100 }), [1, 3, 5, 7, 9, 11])
  t.same(await numbers(['docs'], { filter: { n: { $gte: 4, $lt: 7 } } }), [4, 5, 6])
  t.same(await numbers(['docs'], { filter: { n: 4, tags: ['x', '4'] } }), [4])
  t.same(await numbers(['docs'], { filter: { tags: ['x'] } }), [])
  t.equal((await store.search(['docs'], { limit: 5, offset: 10 })).length, 2)
  t.same(await numbers(['do']), [], 'a namespace begins with labels, not with letters')
  const [best] = await store.search(['docs'], { query: 'memory leak in the parser' })
  t.match(best, { key: 'doc 3', value: { n: 3 }, score: Number })

  t.same(await store.listNamespaces({ prefix: ['docs'] }), [
    ['docs', 'even'],
    ['docs', 'odd']
  ])
  t.same(await store.listNamespaces({ suffix: ['odd'] }), [['docs', 'odd']])
  t.same(await store.listNamespaces({ prefix: ['*', 'ada'] }), [['users', 'ada']])
  t.same(await store.listNamespaces({ maxDepth: 1 }), [['a/b'], ['docs'], ['users']])
  await store.delete(['users', 'ada'], 'prefs')
  t.equal(await store.get(['users', 'ada'], 'prefs'), null)
  t.same(await store.listNamespaces({ maxDepth: 1, limit: 1, offset: 1 }), [['docs']])
})

t.test('a checkpointer keeps a thread, with long names too, and shares what did not change', async t => {
  const saver = new SharedContextSaver(client, { root: 'checkpoints-of-a-test' })
  const thread_id = `thread ${'x'.repeat(300)}/%`
  const checkpoint_ns = 'a|b/'.repeat(40)
  const metadata = { source: 'loop', step: 0, parents: {} } as const
  const first = {
    ...emptyCheckpoint(),
    id: uuid6(1),
    channel_values: { kept: new Map([['a', 1n]]), bytes: new Uint8Array([1, 255]) }
  }
  first.channel_versions = { kept: 1, bytes: 1 }
  const config = await saver.put({ configurable: { thread_id, checkpoint_ns } }, first, metadata, { kept: 1, bytes: 1 })
  const second = { ...emptyCheckpoint(), id: uuid6(2), channel_values: { ...first.channel_values, more: 'é\u0000' } }
  second.channel_versions = { kept: 1, bytes: 1, more: 2 }
  const next = await saver.put(config, second, { ...metadata, step: 1 }, { more: 2 })
  await saver.putWrites(
    next,
    [
      ['more', 'one'],
      ['__error__', 'first']
    ],
    'task'
  )
  await saver.putWrites(
    next,
    [
      ['more', 'two'],
      ['__error__', 'second']
    ],
    'task'
  )

  const latest = await saver.getTuple({ configurable: { thread_id, checkpoint_ns } })
  t.same(latest?.config, next)
  t.same(latest?.parentConfig, config)
  t.same(latest?.checkpoint.channel_values.bytes, new Uint8Array([1, 255]))
  t.equal(latest?.checkpoint.channel_values.more, 'é\u0000')
  t.same(latest?.pendingWrites, [
    ['task', '__error__', 'second'],
    ['task', 'more', 'one']
  ])
  const ids: string[] = []
  for await (const { checkpoint } of saver.list({ configurable: { thread_id } })) ids.push(checkpoint.id)
  t.same(ids, [second.id, first.id], 'the newest first')
  for await (const { checkpoint } of saver.list({}, { filter: { step: 0 }, limit: 1 })) t.equal(checkpoint.id, first.id)
  for await (const { checkpoint } of saver.list({ configurable: { thread_id } }, { before: next }))
    t.equal(checkpoint.id, first.id)
  await saver.deleteThread(thread_id)
  t.equal(await saver.getTuple({ configurable: { thread_id, checkpoint_ns } }), undefined)
  await t.rejects(saver.put({}, first, metadata, {}), /thread_id/)
})
