import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { releaseTask as release } from '../store/held-tasks.js'
import { viewOf } from '../store/tasks.js'
import { LeaseToken, Note, Task, TaskId } from '../task-shapes.js'
import { topicsOf } from '../topics.js'

export const releaseTask = defineTool({
  name: 'release_task',
  title: 'Hand a task over',
  description: 'Give a task back that you hold, with what the next one must know.',
  permission: 'write',
  effect: 'adds',
  commits: 'transaction',
  input: input({
    task_id: TaskId,
    lease_token: LeaseToken,
    note: Note('What is done, and what is left')
  }),
  output: output({ task: Task }),
  audit: (_input, { task }) => ({
    event_type: 'task_released',
    session_id: task.session_id ?? undefined,
    resource: `task:${task.task_id}`
  }),
  affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], true),
  async handler({ task_id, lease_token, note }, { db, agent }) {
    return { task: viewOf(await release(db, agent, task_id, lease_token, note)) }
  }
})
