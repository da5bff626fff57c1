import t from 'tap'
import { RecentOwners } from '../../src/kernel/recent-owners.js'
import { createSearchLimit } from '../../src/search/search-limit.js'

/** Who may search when, by what overlaps; the searches here only take time. */

/** Longer than an ordinary search. */
const DEAR_MS = 80
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const agent = (agent_id: string, key_id?: string) => ({
  workspace: 'default',
  agent_id,
  agent_type: 'custom',
  permissions: ['read' as const],
  ...(key_id !== undefined && { key_id })
})

/** Searches of so many milliseconds, and the most of each key that ran at the same time. */
function watched(running_max: number) {
  const owners = new RecentOwners()
  const limitSearch = createSearchLimit(running_max, owners)
  const most = new Map<string, number>()
  const running = new Map<string, number>()
  return {
    owners,
    most,
    search: (agent_id: string, key_id: string, ms: number) =>
      limitSearch(agent(agent_id, key_id), async () => {
        running.set(key_id, (running.get(key_id) ?? 0) + 1)
        most.set(key_id, Math.max(most.get(key_id) ?? 0, running.get(key_id) as number))
        await sleep(ms)
        running.set(key_id, (running.get(key_id) as number) - 1)
      })
  }
}

t.test('so many run at once, of all and of one agent', async t => {
  const few = watched(3)
  await Promise.all(Array.from({ length: 12 }, (_, i) => few.search(`agent-${i}`, 'key', 5)))
  t.equal(few.most.get('key'), 3)
  const many = watched(20)
  await Promise.all(Array.from({ length: 12 }, () => many.search('agent', 'key', 5)))
  t.equal(many.most.get('key'), 4)
})

t.test('whose searches are dear runs one at a time while others call', async t => {
  const { owners, most, search } = watched(4)
  await search('a', 'dear', DEAR_MS)
  owners.note('somebody else')
  most.clear()
  const calling = setInterval(() => {
    owners.note('somebody else')
  }, 20)
  t.teardown(() => {
    clearInterval(calling)
  })
  await Promise.all(Array.from({ length: 3 }, (_, i) => search(`agent-${i}`, 'dear', 5)))
  t.equal(most.get('dear'), 1)
})

t.test('and as before where nobody else calls', async t => {
  const { owners, most, search } = watched(4)
  owners.note('dear')
  await search('a', 'dear', DEAR_MS)
  owners.note('dear')
  most.clear()
  await Promise.all(Array.from({ length: 4 }, (_, i) => search(`agent-${i}`, 'dear', 20)))
  t.equal(most.get('dear'), 4)
})

t.test('one whom the others make slow does not wait for that', async t => {
  const { owners, search } = watched(8)
  const ended: string[] = []
  // So dear that the rest after them outlasts what comes before the next one, also on a slow machine.
  await Promise.all(Array.from({ length: 6 }, (_, i) => search(`agent-${i}`, 'heavy', DEAR_MS * 10)))
  await search('light', 'light', DEAR_MS)
  owners.note('heavy')
  owners.note('light')
  await Promise.all([
    search('agent-1', 'heavy', 1).then(() => ended.push('heavy')),
    search('light', 'light', 1).then(() => ended.push('light'))
  ])
  t.same(ended, ['light', 'heavy'], 'the heavy one rests')
})

t.test('a search that fails gives its turn back', async t => {
  const limitSearch = createSearchLimit(1, new RecentOwners())
  await t.rejects(
    limitSearch(agent('a'), () => Promise.reject(new Error('no'))),
    /no/
  )
  t.equal(await limitSearch(agent('a'), () => Promise.resolve(1)), 1)
})
