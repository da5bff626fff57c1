import { input, output } from '../../kernel/shapes.js'
import { defineTool } from '../../kernel/tool.js'
import { renewLease } from '../store/held-tasks.js'
import { Lease, LeaseToken, TaskId } from '../task-shapes.js'

export const renewTask = defineTool({
  name: 'renew_task',
  title: 'Hold a task longer',
  description: 'Hold a task for lease_seconds from now on. Call it before lease.expires_at.',
  permission: 'write',
  effect: 'replaces',
  repeatable: true,
  commits: 'transaction',
  input: input({ task_id: TaskId, lease_token: LeaseToken }),
  output: output({ lease: Lease }),
  audit: ({ task_id }) => ({ event_type: 'task_renewed', resource: `task:${task_id}` }),
  async handler({ task_id, lease_token }, { db, agent }) {
    return { lease: await renewLease(db, agent, task_id, lease_token) }
  }
})
