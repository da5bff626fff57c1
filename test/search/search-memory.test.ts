import t from 'tap'
import { newSession, ok, startApp } from '../helper.js'

const app = await startApp(t)
const session_id = await newSession(app)
const set = (key: string, value: unknown, more: Record<string, unknown> = {}, agent_id = 'ann') =>
  ok(app, 'set_memory', { key, value, ...more }, { agent_id })
const find = async (query: string, more: Record<string, unknown> = {}, agent_id = 'ann') =>
  (await ok(app, 'search_memory', { query, ...more }, { agent_id })).results.map(({ key }: any) => key)

await set('deploy-notes', { steps: ['run migrations', 'restart the gateway'], at: 'Monday' })
await set('favourite', 'Ann likes green tea in the morning')
await set('ticket', { id: 'PRP-004', state: 'open' }, { session_id })
await set('secret', 'the walrus password', {}, 'bob')

t.test('values, keys and metadata are found by words, forms, errors and questions', async t => {
  t.same(await find('migration'), ['deploy-notes'])
  t.same(await find('restrat gateway'), ['deploy-notes'])
  t.same(await find('What does Ann drink in the morning?'), ['favourite'])
  t.same(await find('favourite'), ['favourite'])
  t.same(await find('PRP-004'), ['ticket'])
  t.same(await find('PRP-00'), [])
  t.same(await find('violin'), [])
  t.same(await find(''), [])
})

t.test("one's own only, and in the scope that is asked for", async t => {
  t.same(await find('walrus password'), [])
  t.same(await find('walrus password', {}, 'bob'), ['secret'])
  t.same(await find('open', { session_id }), ['ticket'])
  t.same(await find('migration', { session_id }), [])
  t.same(await find('migration', { session_id: 'all' }), ['deploy-notes'])
})

t.test('a score is that of search_context, and the value comes with it', async t => {
  const { results, partial } = await ok(app, 'search_memory', { query: 'green tea' }, { agent_id: 'ann' })
  t.match(results, [
    { key: 'favourite', scope: 'global', session_id: null, value: 'Ann likes green tea in the morning', score: 100 }
  ])
  t.equal(partial, false)
})
