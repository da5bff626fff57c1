import type { Generated } from 'kysely'
import type { TaskState } from '../../kernel/task-states.js'
import type { Json, Stamp } from './columns.js'

/** Work that is handed out, and leases. */
export interface TaskTables {
  tasks: {
    workspace: string
    id: string
    /** The order in which tasks were made. */
    number: Generated<number>
    /** '' if it belongs to no session. */
    session_id: string
    title: string
    description: string
    state: Generated<TaskState>
    addressees: string[]
    depends_on: string[]
    /** How many of the tasks that it depends on are not completed. */
    blocked: Generated<number>
    priority: number
    attempts: Generated<number>
    max_attempts: number
    lease_seconds: number
    /** Of the last claim. */
    lease_token: number | null
    /** Null: nobody holds the task. */
    lease_expires_at: Stamp | null
    created_by: string
    assignee: string | null
    result: unknown
    error: string | null
    note: string | null
    metadata: Json
    created_at: Stamp
    updated_at: Stamp
  }
  task_dependencies: { workspace: string; depends_on: string; task_id: string }
  task_history: {
    workspace: string
    task_id: string
    n: Generated<number>
    at: Stamp
    /** Null: no agent, but the end of a lease or of a task that this one depended on. */
    agent_id: string | null
    /** Null for the first. */
    from_state: TaskState | null
    to_state: TaskState
    note: string | null
  }
  leases: {
    workspace: string
    name: string
    holder: string
    token: number
    purpose: string | null
    acquired_at: Stamp
    expires_at: Stamp
  }
}
