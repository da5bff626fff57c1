import { Type } from '@sinclair/typebox'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { cancelTask as cancel } from '../store/updates.js'
import { viewOf } from '../store/tasks.js'
import { Note, Task, TaskId } from '../task-shapes.js'
import { auditOf, topicsOf } from '../told.js'

export const cancelTask = defineTool({
  name: 'cancel_task',
  title: 'Cancel a task',
  description: 'Call a task off, and all that depends on it. For its creator and admins.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ task_id: TaskId, reason: Type.Optional(Note('Why it is called off')) }),
  output: output({ task: Task }),
  audit: (_input, { task }) => auditOf(task, 'task_canceled'),
  affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], false),
  async handler({ task_id, reason }, { db, agent }) {
    return { task: viewOf(await cancel(db, agent, task_id, reason)) }
  }
})
