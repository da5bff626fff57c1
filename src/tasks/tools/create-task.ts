import { IdempotencyKey, input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import type { Quotas } from '../../limits/quotas.js'
import { addTasks, newTaskId } from '../store/creation.js'
import { type TaskRow, viewOf } from '../store/tasks.js'
import { draftFields, Task, taskOf } from '../task-shapes.js'
import { auditOf, topicsOf } from '../told.js'

export const createTask = (quotas: Quotas) =>
  defineTool({
    name: 'create_task',
    title: 'Create a task',
    description:
      'Hand out work that is done once: workers get it with claim_task when all that it depends on is completed.',
    permission: 'write',
    effect: 'adds',
    commits: 'transaction',
    input: input({ ...draftFields('task_ids'), idempotency_key: IdempotencyKey }),
    output: output({ task: Task }),
    audit: (_input, { task }) => auditOf(task, 'task_created'),
    affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], true),
    async handler({ idempotency_key: _, ...draft }, { db, agent }) {
      if (draft.session_id === undefined) needWholeWorkspace(agent)
      const [made] = await addTasks(db, agent, [taskOf(draft, newTaskId())], quotas)
      return { task: viewOf(made as TaskRow) }
    }
  })
