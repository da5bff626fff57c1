import fp from 'fastify-plugin'
import { tasksTopic } from '../kernel/events.js'
import { addCounter, addGauge } from '../kernel/metrics.js'
import { createWakeUps } from '../feed/wake-ups.js'
import { type Background, inBackground } from '../postgres/background.js'
import { acrossWorkspaces, inWorkspace, transact } from '../postgres/scope.js'
import { takeBackTasks } from './store/ended-leases.js'
import { COUNTED_MAX, readTaskFigures } from './store/task-figures.js'
import { releaseTask as release } from './store/updates.js'
import { createTaskDesk } from './task-desk.js'
import { cancelTask } from './tools/cancel-task.js'
import { claimTask } from './tools/claim-task.js'
import { completeTask } from './tools/complete-task.js'
import { createTask } from './tools/create-task.js'
import { createTasks } from './tools/create-tasks.js'
import { failTask } from './tools/fail-task.js'
import { getTask } from './tools/get-task.js'
import { listTasks } from './tools/list-tasks.js'
import { releaseTask } from './tools/release-task.js'
import { renewTask } from './tools/renew-task.js'
import { updateTask } from './tools/update-task.js'

/** How often leases that have ended are looked for: one look at an index, on every replica. */
const TAKE_BACK_MS = 500
const GONE = 'The client was gone when the task was claimed for it.'

/** Work that is handed out, and done once. */
export const tasksPlugin = fp(
  async app => {
    const { db } = app.database
    const desk = createTaskDesk(db, topics => {
      app.events.publish(topics)
    })
    app.addTool(createTask(app.quotas))
    app.addTool(createTasks(app.quotas))
    app.addTool(listTasks)
    app.addTool(getTask)
    app.addTool(
      claimTask({
        desk,
        wakeUps: createWakeUps({ ...app.following, topicsOf: ({ workspace }) => [tasksTopic(workspace)] }),
        live: app.live,
        waiters: app.waiters,
        stopping: app.stopping,
        async giveBack(agent, { id, lease_token }) {
          await transact(inWorkspace(db, agent.workspace), tx => release(tx, agent, id, lease_token as number, GONE))
          app.events.publish([tasksTopic(agent.workspace)])
        }
      })
    )
    app.addTool(renewTask)
    app.addTool(completeTask(desk))
    app.addTool(failTask)
    app.addTool(releaseTask)
    app.addTool(updateTask)
    app.addTool(cancelTask)

    const { metrics } = app
    const figures = readTaskFigures(acrossWorkspaces(app.database.watch))
    const counted = `in the whole service; counted up to ${COUNTED_MAX}.`
    addGauge(metrics, 'tasks_ready', `Tasks that could be claimed now, ${counted}`, async () => (await figures()).ready)
    addGauge(metrics, 'tasks_held', `Tasks that somebody has claimed, ${counted}`, async () => (await figures()).held)
    addGauge(
      metrics,
      'tasks_ready_oldest_seconds',
      'Seconds since the task that could be claimed for the longest time last changed; 0 if there is none.',
      async () => (await figures()).oldest_seconds
    )
    const noteEnded = addCounter(
      metrics,
      'task_leases_ended_total',
      'Tasks that this replica has taken back because the lease of whoever had claimed them ended.'
    )

    let takingBack: Background | undefined
    app.addHook('onReady', async () => {
      const all = acrossWorkspaces(db)
      takingBack = inBackground(
        async () => {
          const { topics, ended } = await takeBackTasks(all, db)
          noteEnded(ended)
          if (topics.length > 0) app.events.publish(topics)
          return TAKE_BACK_MS
        },
        error => {
          app.logFault(error, 'tasks whose lease has ended not taken back')
        },
        TAKE_BACK_MS
      )
    })
    app.addHook('onClose', () => takingBack?.close())
  },
  { name: 'tasks', dependencies: ['kernel', 'postgres', 'limits', 'sessions', 'feed'] }
)
