import { Type } from '@sinclair/typebox'
import { Allowed, AnyValue, Code, HoldsText } from '../../kernel/schema.js'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { viewOf } from '../store/tasks.js'
import type { TaskDesk } from '../task-desk.js'
import { LeaseToken, Task, TaskId } from '../task-shapes.js'
import { topicsOf } from '../told.js'

/** Bytes of a result as JSON. */
const RESULT_MAX = 1024 * 1024

export const completeTask = (desk: TaskDesk) =>
  defineTool({
    name: 'complete_task',
    title: 'Complete a task',
    description: 'Say that a task which you hold is done, and what came of it.',
    permission: 'write',
    effect: 'replaces',
    repeatable: true,
    commits: 'batch',
    input: input({
      task_id: TaskId,
      lease_token: LeaseToken,
      result: Type.Optional(
        AnyValue(
          'What came of it: any JSON value',
          value => value === undefined || Buffer.byteLength(JSON.stringify(value)) <= RESULT_MAX,
          {
            [HoldsText]: true,
            [Code]: 'CONTENT_TOO_LARGE',
            [Allowed]: `any JSON value of at most ${RESULT_MAX} bytes`
          }
        )
      )
    }),
    output: output({ task: Task }),
    audit: () => ({ event_type: 'task_completed' }),
    affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], false),
    async handler({ task_id, lease_token, result = null }, { agent, receipt: { audit } }) {
      const task = await desk.complete({ agent, task_id, lease_token, result: JSON.stringify(result), audit })
      return { task: viewOf(task) }
    }
  })
