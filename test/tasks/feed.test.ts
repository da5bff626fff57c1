import t from 'tap'
import { type As, listen, newSession, ok, startApp } from '../helper.js'
import { openStream } from '../http/stream-client.js'

/** A task's life is told in the feed of its session, to those who may see the task. */

const app = await startApp(t)
const base = await listen(app)
const WORKER: As = { agent_id: 'worker', agent_type: 'worker' }
const STRANGER: As = { agent_id: 'stranger', agent_type: 'other' }

t.test('streams of the session and of all sessions tell what happens to a task', async t => {
  const session_id = await newSession(app)
  const address = `/mcp/sessions/${session_id}/events`
  const [one, all, stranger] = await Promise.all([
    openStream(base, address, WORKER),
    openStream(base, '/mcp/events', WORKER),
    openStream(base, address, STRANGER)
  ])
  for (const stream of [one, all, stranger]) await stream.waitFor(events => events.length > 0)
  const states: string[] = []
  const told = async () => {
    states.push(String(states.length))
    for (const stream of [one, all])
      await stream.waitFor(
        () => stream.changes().filter(({ event }) => event === 'task_changed').length >= states.length
      )
  }
  const { task } = await ok(app, 'create_task', { title: 'secret', session_id, to: ['type:worker'] })
  await told()
  const { lease } = await ok(app, 'claim_task', { session_id }, WORKER)
  await told()
  await ok(app, 'complete_task', { task_id: task.task_id, lease_token: lease.token, result: 'large' }, WORKER)
  await told()
  for (const stream of [one, all]) {
    const tasks = stream.changes().map(({ data }) => data.task)
    t.same(
      tasks.map(({ state }) => state),
      ['submitted', 'working', 'completed']
    )
    t.match(tasks[2], { task_id: task.task_id, title: 'secret', assignee: 'worker', session_id, to: ['type:worker'] })
    t.notOk('result' in tasks[2])
  }
  t.same(
    one.changes().map(({ data }) => data.seq),
    [1, 2, 3]
  )

  const open = await ok(app, 'create_task', { title: 'for all', session_id })
  await stranger.waitFor(() => stranger.changes().length > 0)
  t.same(
    stranger.changes().map(({ data }) => data.task.task_id),
    [open.task.task_id],
    'nobody is told of a task that is for others'
  )
  const { messages, last_seq } = await ok(app, 'get_messages', { session_id, after_seq: 0 })
  t.same([messages, last_seq], [[], 4], 'changes of tasks take numbers, and are no messages')
})

t.test('waits tell it too, in the order of the messages, and to those who may see the task', async t => {
  const other = await startApp(t, {}, app)
  const session_id = await newSession(app)
  const wait = async (args: Record<string, unknown>, as: As = WORKER) =>
    ok(other, 'wait_for_messages', { session_id, timeout_seconds: 20, ...args }, as)
  const waiting = wait({ after_seq: 0 })
  const { task } = await ok(app, 'create_task', { title: 'secret', session_id, to: ['type:worker'] })
  const { task_id } = task
  t.match(await waiting, {
    messages: [],
    count: 0,
    last_seq: 1,
    timed_out: false,
    tasks: [{ task_id, state: 'submitted' }]
  })

  await ok(app, 'add_message', { session_id, content: 'one' })
  const { lease } = await ok(app, 'claim_task', { task_id }, WORKER)
  await ok(app, 'add_message', { session_id, content: 'two' })
  const told = await wait({ after_seq: 0 })
  t.match(told, { count: 2, last_seq: 4, has_more: false, timed_out: false })
  t.strictSame(told.tasks.length, 1, 'once, as it is now')
  t.match(told.tasks[0], { task_id, title: 'secret', state: 'working', assignee: 'worker', session_id })
  t.notOk('result' in told.tasks[0])

  const pages = []
  for (let after_seq = 0; after_seq < 4;) {
    const page = await wait({ after_seq, limit: 1 })
    pages.push(page.tasks?.[0].state ?? page.messages[0].content)
    t.equal(page.has_more, page.last_seq < 4)
    after_seq = page.last_seq
  }
  t.same(pages, ['one', 'working', 'two'], 'limit counts both')

  t.match(await wait({ after_seq: 0 }, STRANGER), { count: 2, tasks: undefined }, 'who may not see it')
  t.match(await wait({ after_seq: 0, sender: 'nobody', timeout_seconds: 0 }), {
    count: 0,
    tasks: undefined,
    timed_out: true
  })
  const filtered = wait({ after_seq: 4, sender: 'boss' })
  await ok(app, 'complete_task', { task_id, lease_token: lease.token }, WORKER)
  await ok(app, 'add_message', { session_id, content: 'by the boss' }, { agent_id: 'boss' })
  t.match(await filtered, { count: 1, messages: [{ content: 'by the boss' }], tasks: undefined })
})
