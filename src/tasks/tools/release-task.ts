import { Type } from '@sinclair/typebox'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { viewOf } from '../store/tasks.js'
import { releaseTask as release } from '../store/updates.js'
import { LeaseToken, Note, Task, TaskId } from '../task-shapes.js'
import { auditOf, topicsOf } from '../told.js'

export const releaseTask = defineTool({
  name: 'release_task',
  title: 'Hand a task over',
  description:
    'Give a task back that you hold, with what the next one must know. Its creator and admins may leave lease_token ' +
    'out, and then free it from whoever holds it.',
  permission: 'write',
  effect: 'adds',
  commits: 'transaction',
  input: input({
    task_id: TaskId,
    lease_token: Type.Optional({ ...LeaseToken, description: 'Of the holder' }),
    note: Note('What is done, and what is left')
  }),
  output: output({ task: Task }),
  audit: ({ lease_token }, { task }) =>
    auditOf(task, 'task_released', lease_token === undefined ? { by: 'creator or admin' } : {}),
  affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], true),
  async handler({ task_id, lease_token, note }, { db, agent }) {
    return { task: viewOf(await release(db, agent, task_id, lease_token, note)) }
  }
})
