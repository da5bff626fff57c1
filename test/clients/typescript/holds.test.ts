import t from 'tap'
import { LeaseHeldError, LeaseLostError } from '../../../clients/typescript/src/index.js'
import { listen, startApp } from '../../helper.js'
import { until } from '../../support/until.js'
import { connectedTo } from './connected.js'

/** Leases and tasks of the TypeScript client whose answers are late or lost. */

t.jobs = 4

const app = await startApp(t)
const connected = connectedTo(t, await listen(app))

const addressOf = (input: string | URL | Request) => (input instanceof Request ? input.url : String(input))

/** A `fetch` that keeps the first answer of a tool until something has happened meanwhile. */
function lateAfter(tool: string, meanwhile: () => Promise<unknown>): typeof fetch {
  let isFirst = true
  return async (input, init) => {
    const answer = await fetch(input, init)
    if (isFirst && addressOf(input).endsWith(`/${tool}`)) {
      isFirst = false
      await meanwhile()
    }
    return answer
  }
}

for (const waitSeconds of [0, 1])
  t.test(`a lease that ended before its answer came is refused, with a wait of ${waitSeconds} s`, async t => {
    const { client: other } = await connected({ agentId: 'other' })
    const name = `late-${waitSeconds}`
    const takes = () => other.lease(name, { waitSeconds: 30 })
    const { client } = await connected({ fetch: lateAfter('acquire_lease', takes) })
    // Which one it is depends on whether the wait is over when the answer comes.
    const refused = await client.lease(name, { ttlSeconds: 1, waitSeconds }).catch((error: unknown) => error)
    t.ok(refused instanceof LeaseLostError || refused instanceof LeaseHeldError, String(refused))
    const { leases } = await other.listLeases({ prefix: name })
    t.match(leases, [{ holder: 'other' }])
  })

t.test('a lease is renewed before it is handed over if much of it may be gone', async t => {
  const { client: other } = await connected({ agentId: 'other' })
  const { client, paths } = await connected()
  const held = await other.lease('waited-for')
  const waiting = client.lease('waited-for', { ttlSeconds: 6, waitSeconds: 50 })
  await until(() => paths().includes('acquire_lease'), 'the client waits')
  // More than a third of the life of the lease.
  await new Promise(resolve => setTimeout(resolve, 2500))
  await held.release()
  const lease = await waiting
  t.same(paths().slice(0, 3), ['authenticate_agent', 'acquire_lease', 'renew_lease'])
  t.notOk(lease.signal.aborted)
  await lease.release()
})

t.test('a lease ends here when it ends there, though its renewal hangs', async t => {
  let hangs = false
  const { client } = await connected({
    fetch: (input, init) => (hangs ? new Promise<Response>(() => {}) : fetch(input, init))
  })
  const lease = await client.lease('hanging', { ttlSeconds: 2 })
  hangs = true
  await until(() => lease.signal.aborted, 'the lease is lost')
  t.ok(lease.signal.reason instanceof LeaseLostError)
})

t.test('a lease whose answer was lost is waited out, without a wait of the caller', async t => {
  const { client, relay, paths } = await connected()
  await client.listLeases()
  relay.faults.push({ kind: 'lost' })
  const lease = await client.lease('lost-answer', { ttlSeconds: 2 })
  t.notOk(lease.signal.aborted)
  t.ok(paths().filter(path => path === 'acquire_lease').length > 1)
  await lease.release()
})

t.test('after a fault, what others hold is refused without a wait', async t => {
  const { client: other } = await connected({ agentId: 'other' })
  const { client, relay, paths } = await connected()
  await client.listLeases()
  const held = await other.lease('of-others', { ttlSeconds: 3600 })
  relay.faults.push({ kind: 'reset' })
  await t.rejects(client.lease('of-others', { ttlSeconds: 3600 }), { code: 'LEASE_HELD' })
  t.equal(paths().filter(path => path === 'acquire_lease').length, 2)
  await held.release()
})

t.test('what the same agent holds elsewhere is refused without a wait', async t => {
  const { client: elsewhere } = await connected()
  const { client, paths } = await connected()
  const held = await elsewhere.lease('own', { ttlSeconds: 3600 })
  await t.rejects(client.lease('own', { ttlSeconds: 3600 }), { code: 'LEASE_HELD' })
  t.equal(paths().filter(path => path === 'acquire_lease').length, 1)
  await held.release()
})

t.test('a service that is away is asked as often as the client was told', async t => {
  const { client, relay, paths } = await connected({ tries: 2 })
  await client.listLeases()
  relay.faults.push({ kind: 'reset' }, { kind: 'reset' }, { kind: 'reset' })
  await t.rejects(client.lease('away'), { code: 'UNREACHABLE' })
  t.equal(paths().filter(path => path === 'acquire_lease').length, 2)
})

t.test('a signal ends the wait for a lease whose answer was lost', async t => {
  const { client, relay, paths } = await connected()
  await client.listLeases()
  relay.faults.push({ kind: 'lost' })
  const stop = new AbortController()
  const reason = new Error('enough')
  const waiting = client.lease('given-up', { ttlSeconds: 3600, signal: stop.signal })
  await until(() => paths().filter(path => path === 'acquire_lease').length >= 3, 'the client waits')
  stop.abort(reason)
  await t.rejects(waiting, reason)
})

t.test('a task that others have by the time its answer comes is passed over', async t => {
  const { client: boss } = await connected({ agentId: 'boss' })
  const { client: other } = await connected({ agentId: 'other' })
  const { session_id } = await boss.createSession({ purpose: 'late claims' })
  const { task } = await boss.createTask({ title: 'claimed twice', session_id, lease_seconds: 2 })
  const { client } = await connected({
    fetch: lateAfter('claim_task', async () => {
      await boss.releaseTask({ task_id: task.task_id, note: 'for another' })
      const { lease } = await other.claimTask({ task_id: task.task_id })
      await other.completeTask({ task_id: task.task_id, lease_token: lease?.token ?? 0 })
      await boss.createTask({ title: 'next', session_id })
      // More than a third of the life of the hold.
      await new Promise(resolve => setTimeout(resolve, 1000))
    })
  })
  const got: string[] = []
  for await (const claimed of client.work(session_id, { untilIdle: true, waitSeconds: 0 })) {
    got.push(claimed.title)
    await claimed.complete()
  }
  t.same(got, ['next'])
})

t.test('a task can fail for any reason, however it is worded', async t => {
  const { client } = await connected()
  const { session_id } = await client.createSession({ purpose: 'failures' })
  const reasons: Array<[unknown, string]> = [
    [new Error(`${'a'.repeat(9_999)}🚀🚀`), `${'a'.repeat(9_999)}🚀`],
    ['🚀'.repeat(10_001), '🚀'.repeat(10_000)],
    [`a${'🚀'.repeat(10_001)}`, `a${'🚀'.repeat(9_999)}`],
    ['NUL \0, halves \ud83d and \ude80, a whole 🚀', 'NUL �, halves � and �, a whole 🚀'],
    [Object.create(null), 'No reason was given.'],
    ['', 'No reason was given.']
  ]
  for (const [reason, told] of reasons) {
    await client.createTask({ title: 'fails', session_id, max_attempts: 1 })
    for await (const claimed of client.work(session_id, { untilIdle: true, waitSeconds: 0 }))
      t.match(await claimed.fail(reason), { state: 'failed', error: told })
  }
})
