import { Type } from '@sinclair/typebox'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { failTask as fail } from '../store/held-tasks.js'
import { viewOf } from '../store/tasks.js'
import { LeaseToken, Note, Task, TaskId } from '../task-shapes.js'
import { auditOf, topicsOf } from '../told.js'

export const failTask = defineTool({
  name: 'fail_task',
  title: 'Fail a task',
  description:
    'Say that you could not do a task. Others may try again, up to max_attempts times; then what depends on it is ' +
    'canceled.',
  permission: 'write',
  effect: 'adds',
  commits: 'transaction',
  input: input({
    task_id: TaskId,
    lease_token: LeaseToken,
    error: Note('What went wrong'),
    retry: Type.Optional(Type.Boolean({ default: true, description: 'false: nobody may try again' }))
  }),
  output: output({ task: Task }),
  audit: (_input, { task }) => auditOf(task, 'task_failed', { attempts: task.attempts, state: task.state }),
  affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], task.state === 'submitted'),
  async handler({ task_id, lease_token, error, retry = true }, { db, agent }) {
    return { task: viewOf(await fail(db, agent, task_id, lease_token, error, retry)) }
  }
})
