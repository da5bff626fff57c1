import { type Selectable, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { TaskState } from '../../kernel/task-states.js'
import { holdsText } from '../../postgres/letters.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { plannedEachTime } from '../../postgres/statements.js'
import { addressesOf } from '../../kernel/addresses.js'
import { inOpenSession, readableTasks } from '../../visibility/tasks.js'
import type { TaskView } from '../task-shapes.js'

export type TaskRow = Omit<Selectable<Schema['tasks']>, 'workspace'>

const columns = [
  'id',
  'number',
  'session_id',
  'title',
  'description',
  'state',
  'addressees',
  'depends_on',
  'blocked',
  'priority',
  'attempts',
  'max_attempts',
  'lease_seconds',
  'lease_token',
  'lease_expires_at',
  'created_by',
  'assignee',
  'result',
  'error',
  'note',
  'metadata',
  'created_at',
  'updated_at'
] as const
const columnsOfT = columns.map(column => `t.${column}` as const)

/** The columns of a TaskRow of the table `t`, for statements that are written as text. */
export const TASK_COLUMNS = columnsOfT.join(', ')

/** A task as clients see it. */
export function viewOf(row: TaskRow): TaskView {
  return {
    task_id: row.id,
    title: row.title,
    description: row.description,
    state: row.state,
    session_id: row.session_id === '' ? null : row.session_id,
    to: row.addressees,
    depends_on: row.depends_on,
    priority: row.priority,
    attempts: row.attempts,
    max_attempts: row.max_attempts,
    lease_seconds: row.lease_seconds,
    created_by: row.created_by,
    assignee: row.assignee,
    result: row.result,
    error: row.error,
    note: row.note,
    metadata: row.metadata,
    created_at: row.created_at,
    updated_at: row.updated_at
  }
}

export function taskNotFound(argument = 'task_id'): AppError {
  return new AppError('TASK_NOT_FOUND', 'There is no task with that id in reach.', { context: { argument } })
}

/** @throws AppError TASK_NOT_FOUND, also where it exists but is not the viewer's to see */
export async function readTaskOrThrow(db: Db, viewer: Agent, id: string): Promise<TaskRow> {
  const task = await readableTasks(db, viewer).where('t.id', '=', id).select(columnsOfT).executeTakeFirst()
  if (task === undefined) throw taskNotFound()
  return task
}

/** A task whose row is locked until the transaction ends. */
export type LockedTask = TaskRow & {
  /** Whether its lease has not ended, by the database's clock. */
  leased: boolean
}

/** @throws AppError TASK_NOT_FOUND, also where it exists but is not the viewer's to see */
export async function lockTask(tx: Db, viewer: Agent, id: string): Promise<LockedTask> {
  const task = await readableTasks(tx, viewer)
    .where('t.id', '=', id)
    .select([...columnsOfT, sql<boolean>`coalesce(t.lease_expires_at > clock_timestamp(), false)`.as('leased')])
    .forUpdate('t')
    .executeTakeFirst()
  if (task === undefined) throw taskNotFound()
  return task
}

export interface TaskFilter {
  state?: TaskState
  ready?: boolean
  session_id?: string
  assignee?: string
  created_by?: string
  query?: string
  limit: number
  /** The number behind which the page begins. */
  before?: number
}

/** Newest first: at most `limit + 1`, where the extra one shows that there are more. */
export async function list(db: Db, viewer: Agent, filter: TaskFilter): Promise<TaskRow[]> {
  let query = readableTasks(db, viewer).select(columnsOfT)
  if (filter.state !== undefined) query = query.where('t.state', '=', filter.state)
  if (filter.ready === true)
    query = query
      .where('t.state', '=', 'submitted')
      .where('t.blocked', '=', 0)
      .where(inOpenSession)
      .where(sql<boolean>`(t.addressees = '{}' or t.addressees && ${addressesOf(viewer)}::text[])`)
  if (filter.session_id !== undefined) query = query.where('t.session_id', '=', filter.session_id)
  if (filter.assignee !== undefined) query = query.where('t.assignee', '=', filter.assignee)
  if (filter.created_by !== undefined) query = query.where('t.created_by', '=', filter.created_by)
  if (filter.query !== undefined) {
    const [title, description] = [sql`t.title`, sql`t.description`].map(text => holdsText(text, filter.query as string))
    query = query.where(sql<boolean>`(${title} or ${description})`)
  }
  if (filter.before !== undefined) query = query.where('t.number', '<', filter.before)
  query = query.orderBy('t.number', 'desc').limit(filter.limit + 1)
  return (await plannedEachTime(db, query)).rows
}

/** What happened to a task, oldest first. The caller has made sure that its viewer may see the task. */
export async function historyOf(db: Db, workspace: string, id: string) {
  return db
    .selectFrom('task_history')
    .select(['at', 'agent_id', 'from_state as from', 'to_state as to', 'note'])
    .where('workspace', '=', workspace)
    .where('task_id', '=', id)
    .orderBy('n')
    .execute()
}
