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
