import { Type } from '@sinclair/typebox'
import { OneOf } from '../../kernel/schema.js'
import { Nullable, Time } from '../../kernel/answer-shapes.js'
import { input, output } from '../../kernel/shapes.js'
import { TASK_STATES } from '../../kernel/task-states.js'
import { defineTool } from '../../kernel/tool.js'
import { inSnapshot } from '../../postgres/scope.js'
import { historyOf, readTaskOrThrow, viewOf } from '../store/tasks.js'
import { Task, TaskId } from '../task-shapes.js'

export const getTask = defineTool({
  name: 'get_task',
  title: 'Read a task',
  description: 'One task as it is now, with its result, and what happened to it.',
  permission: 'read',
  effect: 'reads',
  commits: 'none',
  input: input({ task_id: TaskId }),
  output: output({
    task: Task,
    history: Type.Array(
      Type.Object({
        at: Time,
        agent_id: {
          ...Nullable(Type.String()),
          description: 'Who did it; null: the end of a lease, or of a task on which this one depended'
        },
        from: { ...Nullable(Type.String()), description: 'The state before; null for the first' },
        to: OneOf(TASK_STATES, { description: 'The state from then on' }),
        note: { ...Nullable(Type.String()), description: 'What was said about it' }
      }),
      { description: 'Oldest first' }
    )
  }),
  async handler({ task_id }, { db, agent }) {
    // The last line of the history is the task's state.
    return inSnapshot(db, async tx => {
      const task = await readTaskOrThrow(tx, agent, task_id)
      return { task: viewOf(task), history: await historyOf(tx, agent.workspace, task_id) }
    })
  }
})
