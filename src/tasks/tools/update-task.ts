import { Type } from '@sinclair/typebox'
import { AppError } from '../../kernel/errors.js'
import { atLeastOne } from '../../kernel/page-rules.js'
import { OneOf } from '../../kernel/schema.js'
import { Metadata } from '../../kernel/metadata-shapes.js'
import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { updateTask as update } from '../store/updates.js'
import { viewOf } from '../store/tasks.js'
import { Description, LeaseToken, Priority, Task, TaskId, Title } from '../task-shapes.js'
import { auditOf, topicsOf } from '../told.js'

export const updateTask = defineTool({
  name: 'update_task',
  title: 'Change a task',
  description: 'Change a task that is not done: for its creator, admins, and with lease_token its holder.',
  permission: 'write',
  effect: 'replaces',
  commits: 'transaction',
  input: input(
    {
      task_id: TaskId,
      lease_token: Type.Optional({ ...LeaseToken, description: 'Of the holder' }),
      title: Type.Optional(Title),
      description: Type.Optional(Description),
      priority: Type.Optional(Priority()),
      metadata: Metadata('In place of its metadata'),
      state: Type.Optional(OneOf(['working', 'input_required'], { description: 'input_required: its holder waits' }))
    },
    atLeastOne('title', 'description', 'priority', 'metadata', 'state')
  ),
  output: output({ task: Task }),
  audit: ({ state }, { task }) => auditOf(task, 'task_updated', state === undefined ? {} : { state }),
  affectedTopics: (_input, { task }, { agent }) => topicsOf(agent.workspace, [task], false),
  async handler({ task_id, lease_token, ...patch }, { db, agent }) {
    if (Object.values(patch).every(value => value === undefined))
      throw new AppError('INVALID_INPUT', 'There is nothing to change.', {
        context: { argument: 'title', given: 'nothing', allowed: 'title, description, priority, metadata or state' },
        suggestions: ['Pass at least one of title, description, priority, metadata and state']
      })
    return { task: viewOf(await update(db, agent, task_id, lease_token, patch)) }
  }
})
