import type { Updateable } from 'kysely'
import { type Agent, isAdmin } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { isFinal, type TaskState } from '../../kernel/task-states.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { cancelDependents, moveTask, requireLease } from './moves.js'
import { type LockedTask, lockTask, type TaskRow } from './tasks.js'
import type { Draft } from '../task-shapes.js'

export type TaskPatch = Partial<Pick<Draft, 'title' | 'description' | 'priority' | 'metadata'>> & {
  state?: 'working' | 'input_required'
}

/**
 * Changes a task that is not done. It counts as a change of its state, which may stay what it is.
 * @param token undefined for its creator and admins
 * @throws AppError TASK_NOT_FOUND, LEASE_LOST, PERMISSION_DENIED, CONFLICT
 */
export async function updateTask(
  tx: Db,
  agent: Agent,
  id: string,
  token: number | undefined,
  { state, metadata, ...texts }: TaskPatch
): Promise<TaskRow> {
  const task = await lockOwnTask(tx, agent, id, token)
  if (state !== undefined && !task.leased)
    throw new AppError('CONFLICT', 'Nobody holds the task, so that it is neither working nor waiting for an answer.', {
      context: { argument: 'state', state: task.state },
      suggestions: ['Call claim_task to work on it', 'Leave state out']
    })
  const set: Updateable<Schema['tasks']> = {
    ...texts,
    ...(metadata !== undefined && { metadata: JSON.stringify(metadata) })
  }
  if (Object.values(set).some(value => value !== undefined))
    await tx.updateTable('tasks').set(set).where('workspace', '=', agent.workspace).where('id', '=', id).execute()
  return moveTask(tx, agent, { task, state: state ?? task.state })
}

/**
 * Gives a task back that somebody holds: it can be claimed again at once, and the token of whoever held it is dead.
 * @param token undefined for its creator and admins, who free a task that is stuck
 * @throws AppError TASK_NOT_FOUND, LEASE_LOST, PERMISSION_DENIED, CONFLICT if nobody holds it
 */
export async function releaseTask(
  tx: Db,
  agent: Agent,
  id: string,
  token: number | undefined,
  note: string
): Promise<TaskRow> {
  const task = await lockOwnTask(tx, agent, id, token)
  if (!task.leased)
    throw new AppError('CONFLICT', 'Nobody holds the task, so that nobody can give it back.', {
      context: { state: task.state },
      suggestions: ['Call claim_task to work on it', 'Call update_task to say more about it']
    })
  return moveTask(tx, agent, { task, state: 'submitted', note, said: note })
}

/**
 * A task that is not done, for who holds it by that token; without one, for its creator and admins.
 * @throws AppError TASK_NOT_FOUND, LEASE_LOST, PERMISSION_DENIED, CONFLICT
 */
async function lockOwnTask(tx: Db, agent: Agent, id: string, token: number | undefined): Promise<LockedTask> {
  const task = await lockTask(tx, agent, id)
  if (token !== undefined) requireLease(task, agent, token)
  else requireCreator(task, agent)
  refuseFinal(task)
  return task
}

/**
 * Calls a task off, and what depends on it. One that is canceled already stays what it is.
 * @throws AppError TASK_NOT_FOUND, PERMISSION_DENIED, CONFLICT for one that is completed or failed
 */
export async function cancelTask(tx: Db, agent: Agent, id: string, reason: string | undefined): Promise<TaskRow> {
  const task = await lockTask(tx, agent, id)
  requireCreator(task, agent)
  if (task.state === 'canceled') return task
  refuseFinal(task)
  const moved = await moveTask(tx, agent, { task, state: 'canceled', said: reason })
  await cancelDependents(tx, agent, [id])
  return moved
}

function requireCreator({ created_by }: LockedTask, agent: Agent): void {
  if (created_by === agent.agent_id || isAdmin(agent)) return
  throw new AppError('PERMISSION_DENIED', 'Only the creator of a task, or an admin, may do that.', {
    context: { required_permission: 'admin', current_permissions: agent.permissions },
    suggestions: [
      'If you hold the task, pass lease_token to update_task or release_task',
      'Ask the creator of the task to do it'
    ]
  })
}

function refuseFinal({ state }: { state: TaskState }): void {
  if (!isFinal(state)) return
  throw new AppError('CONFLICT', `The task is ${state}: nothing can happen to it any more.`, {
    context: { state },
    suggestions: ['Call create_task for what is still to be done']
  })
}
