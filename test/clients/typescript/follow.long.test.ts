import t from 'tap'
import { LeaseHeldError, LeaseLostError, SharedContext } from '../../../clients/typescript/src/index.js'
import { API_KEY, listen, startApp } from '../../helper.js'
import { until } from '../../support/until.js'
import { type Relay, startRelay } from './relay.js'

/** What the TypeScript client does over many calls: following, streams, leases and tasks. */

t.jobs = 4

const app = await startApp(t)
const url = await listen(app)

function as(agentId: string, at = url): SharedContext {
  return new SharedContext({ url: at, apiKey: API_KEY, agentId, agentType: 'tester' })
}

t.test('a follower gets each message once, over connections that break', async t => {
  const relay = await startRelay(t, url)
  const [ada, ben] = [as('ada'), as('ben', relay.url)]
  const { session_id } = await ada.createSession({ purpose: 'followed' })
  await ada.addMessage({ session_id, content: 'one' })
  const faults: unknown[] = []
  const feed = ben.follow(session_id, { afterSeq: 0, onFault: error => faults.push(error) })
  const got: string[] = []
  for await (const { content } of feed) {
    got.push(content)
    if (content === 'one') {
      relay.breakAll()
      relay.faults.push({ kind: 'reset' }, { kind: 'answer', status: 504, body: '' })
      await ada.addMessages({ session_id, messages: [{ content: 'two' }, { content: 'three' }] })
    }
    if (content === 'three') await ada.closeSession({ session_id })
  }
  t.same(got, ['one', 'two', 'three'], 'and it ends when the session is closed')
  t.ok((feed.lastSeq ?? 0) >= 3)

  const stop = new AbortController()
  const { session_id: quiet } = await ada.createSession({ purpose: 'quiet' })
  setTimeout(() => {
    stop.abort()
  }, 100)
  for await (const _ of ben.follow(quiet, { signal: stop.signal })) t.fail('there is nothing')
})

t.test('an event stream goes on after the last event', async t => {
  const relay = await startRelay(t, url)
  const [ada, ben] = [as('ada'), as('ben', relay.url)]
  const { session_id } = await ada.createSession({ purpose: 'streamed' })
  const states: string[] = []
  const stream = ben.events({ sessionId: session_id, afterSeq: 0, onState: state => states.push(state) })
  const got: string[] = []
  await ada.addMessage({ session_id, content: 'one' })
  for await (const { event, data } of stream) {
    if (event === 'message_added') {
      got.push(data.message.content)
      if (data.message.content === 'one') {
        relay.faults.push({ kind: 'answer', status: 502, body: '' })
        relay.breakAll()
        await ada.addMessage({ session_id, content: 'two' })
      } else await ada.updateSession({ session_id, purpose: 'renamed' })
    }
    if (event === 'session_updated') {
      got.push(data.session.purpose)
      await ada.deleteSession({ session_id })
    }
  }
  t.same(got, ['one', 'two', 'renamed'])
  t.ok(stream.isSessionGone)
  t.match([states[0], states.at(-1)], ['live', 'live'])
  t.ok(states.includes('lost'), 'and tells of the break')

  const all = ben.events()
  const { session_id: other } = await ada.createSession({ purpose: 'another' })
  for await (const { event } of all) {
    if (event === 'start') await ada.addMessage({ session_id: other, content: 'anywhere' })
    if (event === 'message_added') break
  }
  t.ok(all.lastEventId !== undefined)
})

t.test('a lease is renewed while it is held, and given up at the end', async t => {
  const relay = await startRelay(t, url)
  const [ada, ben] = [as('ada', relay.url), as('ben')]
  const name = 'deploy to production'
  await ada.withLease(
    name,
    async lease => {
      const [before] = (await ben.listLeases({ prefix: name })).leases
      await until(() => asked(relay, 'renew_lease'), 'it is renewed')
      const later = () => ben.listLeases({ prefix: name }).then(({ leases: [now] }) => now)
      await until(async () => String((await later())?.expires_at) > String(before?.expires_at), 'it lasts longer')
      t.notOk(lease.signal.aborted)
      const error: unknown = await ben.lease(name).catch((e: unknown) => e)
      t.ok(error instanceof LeaseHeldError)
    },
    { ttlSeconds: 5 }
  )
  const lease = await ben.lease([name, 'another'])
  t.same(lease.names.sort(), ['another', name])
  t.ok(lease.token(name) > 0)
  t.throws(() => lease.token('none'), RangeError)
  await lease.release()
  await lease.release()
  t.match(await ada.listLeases({ prefix: name }), { leases: [] })
})

t.test('a lease that somebody else has says so', async t => {
  const [ada, ben] = [as('ada'), as('ben')]
  const lease = await ada.lease('lost', { ttlSeconds: 6 })
  const lost = new Promise<unknown>(resolve => {
    lease.signal.addEventListener('abort', () => {
      resolve(lease.signal.reason)
    })
  })
  await as('ada').releaseLease({ leases: [{ name: 'lost', token: lease.token() }] })
  const other = await ben.lease('lost')
  t.ok((await lost) instanceof LeaseLostError)
  t.ok(other.token() > lease.token())
  await Promise.all([lease.release(), other.release()])
})

t.test('workers do each task once, and say how it ended', async t => {
  const [boss, one, two] = [as('boss'), as('one'), as('two')]
  const { session_id } = await boss.createSession({ key: 'research', purpose: 'research' })
  await boss.createTasks({
    tasks: [
      ...Array.from({ length: 6 }, (_, n) => ({ title: `read ${n}`, session_id })),
      { title: 'broken', session_id, max_attempts: 1 },
      { title: 'unsaid', session_id, max_attempts: 1 }
    ]
  })
  const done: string[] = []
  const work = async (client: SharedContext) => {
    for await (const task of client.work('research', { untilIdle: true, waitSeconds: 0 })) {
      if (task.title === 'unsaid') continue
      if (task.title === 'broken') await task.fail(new Error('It is broken.'))
      else {
        await task.complete({ by: client.identity?.agent_id })
        done.push(task.title)
      }
      t.ok(task.isDone)
    }
  }
  await Promise.all([work(one), work(two)])
  t.same(
    done.sort(),
    [0, 1, 2, 3, 4, 5].map(n => `read ${n}`)
  )
  const { tasks } = await boss.listTasks({ session_id })
  const ends = Object.fromEntries(tasks.map(({ title, state, error }) => [title, { state, error }]))
  t.match(ends, {
    'read 0': { state: 'completed' },
    broken: { state: 'failed', error: 'It is broken.' },
    unsaid: { state: 'failed', error: /without saying/ }
  })
})

t.test('a worker that is told to stop gives its task back, and a task is held while it takes long', async t => {
  const relay = await startRelay(t, url)
  const [boss, worker] = [as('boss'), as('slow', relay.url)]
  const { session_id } = await boss.createSession({ purpose: 'slow work' })
  const { task } = await boss.createTask({ title: 'long', session_id, lease_seconds: 6 })
  const stop = new AbortController()
  for await (const claimed of worker.work(session_id, { signal: stop.signal })) {
    await until(() => asked(relay, 'renew_task'), 'it is renewed')
    t.match(await boss.getTask({ task_id: task.task_id }), { task: { state: 'working', assignee: 'slow' } })
    stop.abort()
    t.ok(claimed.signal.aborted)
  }
  t.match(await boss.getTask({ task_id: task.task_id }), {
    task: { state: 'submitted', attempts: 0, note: /told to stop/ }
  })
})

function asked({ seen }: Relay, tool: string): boolean {
  return seen.some(({ path }) => path.endsWith(`/${tool}`))
}
