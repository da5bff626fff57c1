import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { call, newSession, ok, startApp } from '../helper.js'
import { isFailure } from '../support/failure.js'
import { until } from '../support/until.js'

/** What tasks do, one agent after the other. */

const app = await startApp(t)
const CREATOR = { agent_id: 'coordinator' }
const ONE = { agent_id: 'worker-1', agent_type: 'worker' }
const TWO = { agent_id: 'worker-2', agent_type: 'reviewer' }

async function create(args: Record<string, unknown>, as = CREATOR): Promise<any> {
  return (await ok(app, 'create_task', { title: 'a task', ...args }, as)).task
}

async function claim(args: Record<string, unknown>, as = ONE): Promise<any> {
  return ok(app, 'claim_task', args, as)
}

t.test('a task goes from its creator to a worker and back, and its history tells it', async t => {
  const session_id = await newSession(app)
  const task = await create({ session_id, description: 'all of it', metadata: { a: 1 }, priority: '5' })
  t.match(task, { state: 'submitted', attempts: 0, assignee: null, created_by: 'coordinator', to: [], priority: 5 })
  const claimed = await claim({ session_id })
  t.match(claimed, {
    task: { task_id: task.task_id, state: 'working', assignee: 'worker-1', description: 'all of it' },
    lease: { token: Number, expires_at: String },
    timed_out: false
  })
  t.same(await claim({ session_id }, TWO), { success: true, task: null, lease: null, timed_out: false })
  const held = { task_id: task.task_id, lease_token: claimed.lease.token }
  isFailure(t, await call(app, 'complete_task', held, TWO), 'LEASE_LOST', 'by somebody else')
  isFailure(t, await call(app, 'complete_task', { ...held, lease_token: held.lease_token + 1 }, ONE), 'LEASE_LOST')
  t.match(await ok(app, 'complete_task', { ...held, result: { n: [1, null] } }, ONE), {
    task: { state: 'completed', result: { n: [1, null] }, assignee: 'worker-1' }
  })
  t.match(await ok(app, 'complete_task', { ...held, result: 2 }, ONE), { task: { result: { n: [1, null] } } }, 'again')
  isFailure(t, await call(app, 'renew_task', held, ONE), 'LEASE_LOST')
  const again = { task: null, lease: null, timed_out: false }
  t.match(await claim({ task_id: task.task_id, wait_seconds: 20 }), again, 'nobody waits for a task that is done')
  t.match((await ok(app, 'get_task', { task_id: task.task_id }, TWO)).history, [
    { agent_id: 'coordinator', from: null, to: 'submitted' },
    { agent_id: 'worker-1', from: 'submitted', to: 'working' },
    { agent_id: 'worker-1', from: 'working', to: 'completed' }
  ])
  const { rows } = { rows: (await ok(app, 'get_audit_log', { session_id }, { admin: true })).entries }
  t.same(rows.map(({ event_type }: any) => event_type).sort(), [
    'session_created',
    'task_claimed',
    'task_completed',
    'task_created'
  ])
})

t.test('tasks go out by priority, and then by age', async t => {
  const session_id = await newSession(app)
  const { tasks } = await ok(app, 'create_tasks', {
    tasks: [
      { title: 'a', session_id },
      { title: 'b', session_id, priority: 1 },
      { title: 'c', session_id, priority: 1 },
      { title: 'd', session_id, priority: -1 }
    ]
  })
  t.equal(tasks.length, 4)
  const order: string[] = []
  for (let i = 0; i < 5; i++) order.push((await claim({ session_id })).task?.title ?? 'none')
  t.same(order, ['b', 'c', 'a', 'd', 'none'])
})

t.test('a task waits for what it depends on, and is canceled with it', async t => {
  const session_id = await newSession(app)
  const { tasks } = await ok(app, 'create_tasks', {
    tasks: [
      { ref: 'first', title: 'first', session_id },
      { ref: 'other', title: 'other', session_id },
      { title: 'both', session_id, depends_on: ['first', 'other'] },
      { title: 'last', session_id, depends_on: ['other'] }
    ]
  })
  const [first, other, both, last] = tasks
  t.same(both.depends_on, [first.task_id, other.task_id])
  const ready = async () =>
    (await ok(app, 'list_tasks', { session_id, ready: true }, ONE)).tasks.map(({ title }: any) => title)
  t.same(await ready(), ['other', 'first'])
  const claimed = await claim({ task_id: first.task_id })
  await ok(app, 'complete_task', { task_id: first.task_id, lease_token: claimed.lease.token }, ONE)
  t.same(await ready(), ['other'])
  t.equal((await claim({ task_id: both.task_id })).task, null)
  const more = await create({ session_id, depends_on: [first.task_id] })
  t.equal((await claim({ task_id: more.task_id })).task.task_id, more.task_id, 'what is completed is not waited for')

  const held = await claim({ task_id: other.task_id })
  await ok(app, 'fail_task', { task_id: other.task_id, lease_token: held.lease.token, error: 'no', retry: false }, ONE)
  t.match((await ok(app, 'get_task', { task_id: other.task_id })).task, { state: 'failed', error: 'no', attempts: 1 })
  for (const { task_id } of [both, last])
    t.match(await ok(app, 'get_task', { task_id }), { task: { state: 'canceled' }, history: [{}, { agent_id: null }] })
  isFailure(t, await call(app, 'create_task', { title: 'x', depends_on: [other.task_id] }), 'CONFLICT')
  isFailure(t, await call(app, 'create_task', { title: 'x', depends_on: ['task_0000000000000000'] }), 'TASK_NOT_FOUND')
  const circle = [
    { ref: 'a', title: 'a', depends_on: ['b'] },
    { ref: 'b', title: 'b', depends_on: ['a'] }
  ]
  isFailure(t, await call(app, 'create_tasks', { tasks: circle }), 'INVALID_INPUT')
})

t.test('a failure counts as an attempt, handing over does not', async t => {
  const session_id = await newSession(app)
  const { task_id } = await create({ session_id, max_attempts: 2 })
  let { lease } = await claim({ session_id })
  const released = await ok(app, 'release_task', { task_id, lease_token: lease.token, note: 'half is done' }, ONE)
  t.match(released.task, { state: 'submitted', attempts: 0, note: 'half is done', assignee: null })
  const { token } = lease
  ;({ lease } = await claim({ session_id }, TWO))
  t.ok(lease.token > token, 'tokens grow')
  t.match((await ok(app, 'fail_task', { task_id, lease_token: lease.token, error: 'once' }, TWO)).task, {
    state: 'submitted',
    attempts: 1,
    error: 'once'
  })
  ;({ lease } = await claim({ session_id }))
  t.match((await ok(app, 'fail_task', { task_id, lease_token: lease.token, error: 'twice' }, ONE)).task, {
    state: 'failed',
    attempts: 2,
    error: 'twice',
    note: 'half is done'
  })
  t.equal((await claim({ session_id })).task, null)
})

t.test('a lease that ends gives the task back, by the clock of the database', async t => {
  const session_id = await newSession(app)
  const renewed = await create({ session_id, lease_seconds: 60 })
  const held = (await claim({ task_id: renewed.task_id })).lease
  const { lease: later } = await ok(app, 'renew_task', { task_id: renewed.task_id, lease_token: held.token }, ONE)
  t.equal(later.token, held.token)
  t.ok(later.expires_at > held.expires_at, 'renewed, it ends later')
  await app.database.db
    .updateTable('tasks')
    .set({ lease_expires_at: '2020-01-01T00:00:00.000Z' })
    .where('id', '=', renewed.task_id)
    .execute()
  const again = await claim({ task_id: renewed.task_id, wait_seconds: 20 }, TWO)
  t.match(again.task, { attempts: 1, assignee: 'worker-2' }, 'it has ended')
  await ok(app, 'complete_task', { task_id: renewed.task_id, lease_token: again.lease.token }, TWO)

  // Nothing has to be done before these leases end.
  const { task_id } = await create({ session_id, lease_seconds: 1, max_attempts: 2 })
  const dependent = await create({ session_id, depends_on: [task_id] })
  const { lease } = await claim({ session_id })
  const second = await claim({ session_id, wait_seconds: 20 }, TWO)
  t.match(second.task, { task_id, attempts: 1, assignee: 'worker-2' })
  for (const tool of ['complete_task', 'renew_task'])
    isFailure(t, await call(app, tool, { task_id, lease_token: lease.token }, ONE), 'LEASE_LOST')
  await until(async () => (await ok(app, 'get_task', { task_id })).task.state !== 'working', 'it ends again')
  t.equal((await claim({ session_id })).task, null)
  t.match((await ok(app, 'get_task', { task_id })).task, { state: 'failed', attempts: 2, error: /ended/ })
  t.match((await ok(app, 'get_task', { task_id: dependent.task_id })).task, { state: 'canceled' })
  await until(async () => {
    const page = (await app.server.inject('/metrics')).body
    return Number(/^task_leases_ended_total (\d+)$/m.exec(page)?.[1]) >= 3
  }, 'the metrics count all three')
})

t.test('to says who may see and claim a task', async t => {
  const session_id = await newSession(app)
  const ours = await create({ session_id, to: ['type:worker'] })
  const theirs = await create({ session_id, to: ['worker-2'] })
  const seen = async (as: any) =>
    (await ok(app, 'list_tasks', { session_id }, as)).tasks.map(({ task_id }: any) => task_id)
  t.same(await seen(ONE), [ours.task_id])
  t.same(await seen(TWO), [theirs.task_id])
  t.same(await seen(CREATOR), [theirs.task_id, ours.task_id])
  t.same(await seen({ admin: true, agent_id: 'root' }), [theirs.task_id, ours.task_id])
  isFailure(t, await call(app, 'get_task', { task_id: ours.task_id }, TWO), 'TASK_NOT_FOUND')
  isFailure(t, await call(app, 'claim_task', { task_id: ours.task_id }, TWO), 'TASK_NOT_FOUND')
  t.equal((await claim({ session_id }, TWO)).task.task_id, theirs.task_id)
  t.equal((await claim({ session_id }, TWO)).task, null)
  t.equal((await claim({ session_id }, ONE)).task.task_id, ours.task_id)
})

t.test('creator, holder and admin change a task; nobody else does', async t => {
  const session_id = await newSession(app)
  const { task_id } = await create({ session_id })
  isFailure(t, await call(app, 'update_task', { task_id, title: 'x' }, ONE), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'update_task', { task_id }, CREATOR), 'INVALID_INPUT')
  isFailure(t, await call(app, 'update_task', { task_id, state: 'working' }, CREATOR), 'CONFLICT')
  t.match((await ok(app, 'update_task', { task_id, title: 'new', metadata: { b: 2 } }, CREATOR)).task, {
    title: 'new',
    metadata: { b: 2 }
  })
  const { lease } = await claim({ session_id })
  const asked = await ok(app, 'update_task', { task_id, lease_token: lease.token, state: 'input_required' }, ONE)
  t.equal(asked.task.state, 'input_required')
  t.equal((await ok(app, 'update_task', { task_id, state: 'working' }, CREATOR)).task.state, 'working')
  isFailure(t, await call(app, 'cancel_task', { task_id }, ONE), 'PERMISSION_DENIED')
  t.equal((await ok(app, 'cancel_task', { task_id, reason: 'no more' }, CREATOR)).task.state, 'canceled')
  t.equal((await ok(app, 'cancel_task', { task_id }, CREATOR)).task.state, 'canceled')
  isFailure(t, await call(app, 'complete_task', { task_id, lease_token: lease.token }, ONE), 'LEASE_LOST')
  isFailure(t, await call(app, 'update_task', { task_id, title: 'x' }, CREATOR), 'CONFLICT')
})

t.test('creator and admin free a task that somebody holds; nobody else does', async t => {
  const session_id = await newSession(app)
  const { task_id } = await create({ session_id, to: ['type:worker', 'type:reviewer'] })
  const freed = { task_id, note: 'its holder hangs' }
  isFailure(t, await call(app, 'release_task', freed, CREATOR), 'CONFLICT', 'nobody holds it')
  const first = await claim({ session_id })
  isFailure(t, await call(app, 'release_task', freed, TWO), 'PERMISSION_DENIED')
  isFailure(t, await call(app, 'release_task', freed, ONE), 'PERMISSION_DENIED', 'the holder without its token')
  isFailure(t, await call(app, 'release_task', freed, { agent_id: 'x', agent_type: 'y' }), 'TASK_NOT_FOUND', 'unseen')
  isFailure(t, await call(app, 'release_task', { ...freed, lease_token: first.lease.token }, CREATOR), 'LEASE_LOST')
  const waiting = claim({ session_id, wait_seconds: 20 }, TWO)
  await sleep(300)
  t.match((await ok(app, 'release_task', freed, CREATOR)).task, {
    state: 'submitted',
    attempts: 0,
    assignee: null,
    note: 'its holder hangs'
  })
  const second = await waiting
  t.match(second, { task: { task_id, assignee: 'worker-2', note: 'its holder hangs' }, timed_out: false }, 'it wakes')
  const old = { task_id, lease_token: first.lease.token }
  for (const [tool, more] of Object.entries({
    renew_task: {},
    complete_task: {},
    fail_task: { error: 'e' },
    release_task: { note: 'n' },
    update_task: { title: 'x' }
  }))
    isFailure(t, await call(app, tool, { ...old, ...more }, ONE), 'LEASE_LOST', tool)

  const asked = { task_id, lease_token: second.lease.token, state: 'input_required' }
  await ok(app, 'update_task', asked, TWO)
  const operator = { admin: true, agent_id: 'operator' }
  t.equal((await ok(app, 'release_task', { task_id, note: 'once more' }, operator)).task.state, 'submitted')
  isFailure(t, await call(app, 'renew_task', { task_id, lease_token: second.lease.token }, TWO), 'LEASE_LOST')
  t.match((await ok(app, 'get_task', { task_id }, CREATOR)).history.slice(1), [
    { agent_id: 'worker-1', to: 'working' },
    { agent_id: 'coordinator', from: 'working', to: 'submitted', note: 'its holder hangs' },
    { agent_id: 'worker-2', to: 'working' },
    { agent_id: 'worker-2', to: 'input_required' },
    { agent_id: 'operator', from: 'input_required', to: 'submitted', note: 'once more' }
  ])
  const { entries } = await ok(app, 'get_audit_log', { session_id, event_type: 'task_released' }, operator)
  t.same(
    entries.map(({ agent_id, metadata }: any) => [agent_id, metadata]),
    [
      ['operator', { by: 'creator or admin' }],
      ['coordinator', { by: 'creator or admin' }]
    ]
  )
  const { lease } = await claim({ session_id })
  await ok(app, 'complete_task', { task_id, lease_token: lease.token }, ONE)
  isFailure(t, await call(app, 'release_task', freed, CREATOR), 'CONFLICT', 'it is done')
})

t.test('a closed session hands out nothing, a deleted one has nothing', async t => {
  const session_id = await newSession(app, CREATOR)
  const { task_id } = await create({ session_id })
  const closing = await newSession(app, CREATOR)
  const gone = await newSession(app, CREATOR)
  const waiting = claim({ session_id: closing, wait_seconds: 20 }, TWO)
  const failing = call(app, 'claim_task', { session_id: gone, wait_seconds: 20 }, TWO)
  await sleep(300)
  await ok(app, 'close_session', { session_id: closing }, CREATOR)
  await ok(app, 'delete_session', { session_id: gone }, CREATOR)
  await ok(app, 'close_session', { session_id }, CREATOR)
  const nothing = { task: null, lease: null, timed_out: false }
  t.match(await waiting, nothing, 'closed while somebody waits')
  isFailure(t, await failing, 'SESSION_NOT_FOUND')
  t.match(await claim({ session_id, wait_seconds: 20 }), nothing, 'at once: nothing can become ready')
  isFailure(t, await call(app, 'create_task', { title: 'x', session_id }, CREATOR), 'SESSION_CLOSED')
  await ok(app, 'update_session', { session_id, is_active: true }, CREATOR)
  const { lease } = await claim({ session_id })
  await ok(app, 'delete_session', { session_id }, CREATOR)
  isFailure(t, await call(app, 'get_task', { task_id }, CREATOR), 'TASK_NOT_FOUND')
  isFailure(t, await call(app, 'complete_task', { task_id, lease_token: lease.token }, ONE), 'TASK_NOT_FOUND')
})

t.test('claims for many places at once get what is theirs, one each, by priority', async t => {
  const places = await Promise.all(Array.from({ length: 6 }, () => newSession(app)))
  const tasks = await Promise.all(
    places.flatMap(session_id =>
      [1, 3, 2].map(priority => create({ session_id, title: `${session_id} ${priority}`, priority }))
    )
  )
  const [named] = tasks
  // One session has a task for somebody else alone, and three for whoever comes first.
  await create({ session_id: places[1], title: 'not for you', to: ['nobody-here'], priority: 9 })
  const [own, others] = await Promise.all([
    Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        claim({ task_id: named.task_id }, { agent_id: `named-${i}`, agent_type: 'worker' })
      )
    ),
    Promise.all(
      places.flatMap(session_id =>
        Array.from({ length: 4 }, async (_, i) => ({
          session_id,
          ...(await claim({ session_id }, { agent_id: `place-${i}`, agent_type: 'worker' }))
        }))
      )
    )
  ])
  const got = [...own.map(one => ({ session_id: places[0], ...one })), ...others].filter(({ task }) => task !== null)
  t.same(got.map(({ task }) => task.title).sort(), tasks.map(({ title }) => title).sort(), 'each task goes to one')
  t.ok(got.every(({ session_id, task }) => task.session_id === session_id))
  t.equal(own.filter(({ task }) => task !== null && task.task_id !== named.task_id).length, 0)
  t.equal(
    (await claim({ session_id: places[1] }, { agent_id: 'nobody-here', agent_type: 'x' })).task.title,
    'not for you'
  )
})

t.test('who waits for a task gets it when it comes, and each task wakes one', async t => {
  const session_id = await newSession(app)
  const waiting = Array.from({ length: 20 }, (_, i) =>
    claim({ session_id, wait_seconds: 10 }, { agent_id: `waiter-${i}`, agent_type: 'worker' })
  )
  await until(() => app.server.waiters.taken === 20, 'all wait')
  for (let i = 0; i < 5; i++) await create({ session_id, title: `${i}` })
  const got = await Promise.all(waiting)
  t.same(got.flatMap(({ task }) => task?.title ?? []).sort(), ['0', '1', '2', '3', '4'])
  t.equal(got.filter(({ timed_out }) => timed_out === true).length, 15)
})

t.test('list_tasks filters and pages', async t => {
  const session_id = await newSession(app)
  for (let i = 0; i < 5; i++) await create({ session_id, title: `part ${i}`, description: i === 3 ? '100% of it' : '' })
  const first = await ok(app, 'list_tasks', { session_id, limit: 2 })
  t.match(first, { count: 2, has_more: true, tasks: [{ title: 'part 4' }, { title: 'part 3' }] })
  const next = await ok(app, 'list_tasks', { session_id, limit: 3, cursor: first.next_cursor })
  t.match(next, { count: 3, has_more: false, next_cursor: null, tasks: [{ title: 'part 2' }, {}, {}] })
  t.match(await ok(app, 'list_tasks', { session_id, query: '100%' }), { count: 1, tasks: [{ title: 'part 3' }] })
  t.equal((await ok(app, 'list_tasks', { session_id, created_by: 'nobody' })).count, 0)
  await claim({ session_id })
  t.match(await ok(app, 'list_tasks', { session_id, assignee: 'worker-1' }), { count: 1, tasks: [{ title: 'part 0' }] })
  t.equal((await ok(app, 'list_tasks', { session_id, state: 'submitted' })).count, 4)
})
