import { Type } from '@sinclair/typebox'
import { IdempotencyKey, input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { needWholeWorkspace } from '../../agents/whole-workspace.js'
import type { Quotas } from '../../limits/quotas.js'
import { resolveReferences } from '../references.js'
import { addTasks, newTaskId } from '../store/creation.js'
import { viewOf } from '../store/tasks.js'
import { draftFields, Task, taskOf } from '../task-shapes.js'
import { topicsOf } from '../told.js'

const TASKS_MAX = 100

export const createTasks = (quotas: Quotas) =>
  defineTool({
    name: 'create_tasks',
    title: 'Create several tasks',
    description: 'Hand out a plan at once, all or none. depends_on also takes a ref of the call.',
    permission: 'write',
    effect: 'adds',
    commits: 'transaction',
    input: input({
      tasks: Type.Array(
        input({
          ref: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Its name in this call' })),
          ...draftFields('task_ids, refs')
        }),
        { minItems: 1, maxItems: TASKS_MAX, description: 'Tasks as create_task takes them' }
      ),
      idempotency_key: IdempotencyKey
    }),
    output: output({ tasks: Type.Array(Task), count: Type.Integer() }),
    audit: ({ tasks: [first] }, { tasks, count }) => ({
      event_type: 'task_created',
      session_id: first?.session_id,
      resource: `task:${tasks[0]?.task_id ?? ''}`,
      metadata: { count, task_ids: tasks.map(({ task_id }) => task_id) }
    }),
    affectedTopics: (_input, { tasks }, { agent }) => topicsOf(agent.workspace, tasks, true),
    async handler({ tasks }, { db, agent }) {
      if (tasks.some(({ session_id }) => session_id === undefined)) needWholeWorkspace(agent)
      const ids = tasks.map(newTaskId)
      const needs = resolveReferences(tasks, ids)
      const made = await addTasks(
        db,
        agent,
        tasks.map((task, i) => taskOf(task, ids[i] as string, needs[i])),
        quotas
      )
      return { tasks: made.map(viewOf), count: made.length }
    }
  })
