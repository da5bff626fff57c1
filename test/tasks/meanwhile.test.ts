import t from 'tap'
import { ok, startApp } from '../helper.js'
import { holding, waits } from '../support/holding.js'

/** What happens to tasks while others are called off. */

t.test('a task that is made to depend on one which is being canceled is canceled too', async t => {
  const app = await startApp(t)
  const create = async (title: string, ...depends_on: string[]): Promise<string> =>
    (await ok(app, 'create_task', { title, ...(depends_on.length > 0 && { depends_on }) })).task.task_id
  const state = async (task_id: string) => (await ok(app, 'get_task', { task_id })).task.state
  const first = await create('first')
  const second = await create('second', first)
  const held = await holding(t, app, 'lock table audit_log in exclusive mode')
  // It holds the second task, and waits before it commits.
  const third = create('third', second)
  await waits(app, 'insert into audit_log')
  // It has looked for what depends on the first one, and waits for the second.
  const canceled = ok(app, 'cancel_task', { task_id: first })
  await waits(app, 'with recursive lost')
  await held.release()
  await canceled
  t.same([await state(first), await state(second), await state(await third)], ['canceled', 'canceled', 'canceled'])
})

t.test('the history of a task ends with its state', async t => {
  const app = await startApp(t)
  const { task_id } = (await ok(app, 'create_task', { title: 'one' })).task
  const held = await holding(t, app, 'lock table task_history in access exclusive mode')
  const reading = ok(app, 'get_task', { task_id })
  await waits(app, 'from "task_history"')
  await held.query("update tasks set state = 'canceled' where id = $1", [task_id])
  await held.query(
    `insert into task_history (workspace, task_id, from_state, to_state)
      values ('default', $1, 'submitted', 'canceled')`,
    [task_id]
  )
  await held.release()
  const { task, history } = await reading
  t.equal(history.at(-1)?.to, task.state)
})
