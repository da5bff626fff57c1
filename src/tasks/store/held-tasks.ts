import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { cancelDependents, moveTask, requireLease } from './moves.js'
import { type LockedTask, lockTask, type TaskRow } from './tasks.js'

/** What the holder of a task alone may do with it. Each locks the task's row, until the transaction ends. */

/** @throws AppError TASK_NOT_FOUND, LEASE_LOST */
async function lockHeldTask(tx: Db, agent: Agent, id: string, token: number): Promise<LockedTask> {
  const task = await lockTask(tx, agent, id)
  requireLease(task, agent, token)
  return task
}

/** @throws AppError as lockHeldTask does */
export async function renewLease(
  tx: Db,
  agent: Agent,
  id: string,
  token: number
): Promise<{ token: number; expires_at: string }> {
  await lockHeldTask(tx, agent, id, token)
  const { lease_expires_at } = await tx
    .updateTable('tasks')
    .set({ lease_expires_at: sql<string>`clock_timestamp() + make_interval(secs => lease_seconds)` })
    .where('workspace', '=', agent.workspace)
    .where('id', '=', id)
    .returning('lease_expires_at')
    .executeTakeFirstOrThrow()
  return { token, expires_at: lease_expires_at as string }
}

/** @throws AppError as lockHeldTask does */
export async function failTask(
  tx: Db,
  agent: Agent,
  id: string,
  token: number,
  error: string,
  retry: boolean
): Promise<TaskRow> {
  const task = await lockHeldTask(tx, agent, id, token)
  const attempts = task.attempts + 1
  const again = retry && attempts < task.max_attempts
  const moved = await moveTask(tx, agent, { task, state: again ? 'submitted' : 'failed', attempts, error, said: error })
  if (!again) await cancelDependents(tx, agent, [id])
  return moved
}
