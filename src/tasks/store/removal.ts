import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../postgres/schema.js'
import { cancelDependents } from './moves.js'

/**
 * Deletes tasks with their history, at most so many. What waits for one that was not completed is canceled.
 * @param condition on a row of `tasks`
 * @returns how many were deleted
 */
export async function removeTasks(
  tx: Db,
  workspace: string,
  condition: RawBuilder<boolean>,
  limit: number
): Promise<number> {
  const { rows } = await sql<{ id: string; state: string }>`
    select id, state from tasks where workspace = ${workspace} and ${condition} order by id limit ${limit}
    for update`.execute(tx)
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  const open = rows.filter(({ state }) => state !== 'completed').map(({ id }) => id)
  if (open.length > 0) await cancelDependents(tx, { workspace }, open)
  await sql`
    with gone as (
      delete from tasks where workspace = ${workspace} and id = any(${ids}::text[])
    ), history as (
      delete from task_history where workspace = ${workspace} and task_id = any(${ids}::text[])
    ), needs as (
      delete from task_dependencies where workspace = ${workspace} and depends_on = any(${ids}::text[])
    )
    delete from task_dependencies where workspace = ${workspace} and task_id = any(${ids}::text[])`.execute(tx)
  return ids.length
}

/** For retention: whether a task is done, and nothing has happened to it since. */
export function doneBefore(time: string): RawBuilder<boolean> {
  return sql<boolean>`state in ('completed', 'failed', 'canceled') and updated_at < ${time}::timestamptz`
}

/**
 * Puts a pseudonym in the place of an agent in the tasks of others, and takes out what it wrote there. A task that it
 * holds goes back with its lease.
 * @param until only what happened until then
 * @returns how many tasks were changed
 */
export async function renameInTasks(
  tx: Db,
  { workspace, agent_id, pseudonym, until }: { workspace: string; agent_id: string; pseudonym: string; until: string },
  limit: number
): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    select id from tasks t where workspace = ${workspace} and created_at <= ${until}::timestamptz
      and (assignee = ${agent_id} or addressees && array[${agent_id}]::text[] or exists (
        select from task_history h where h.workspace = t.workspace and h.task_id = t.id and h.agent_id = ${agent_id}
          and h.at <= ${until}::timestamptz))
    order by id limit ${limit} for update`.execute(tx)
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return 0
  await sql`
    with history as (
      update task_history set agent_id = ${pseudonym}, note = null where workspace = ${workspace}
        and task_id = any(${ids}::text[]) and agent_id = ${agent_id} and at <= ${until}::timestamptz
    )
    update tasks set assignee = case when assignee = ${agent_id} then ${pseudonym} else assignee end,
      lease_expires_at = case when assignee = ${agent_id} then least(lease_expires_at, clock_timestamp())
        else lease_expires_at end,
      addressees = array_replace(addressees, ${agent_id}, ${pseudonym}),
      result = case when assignee = ${agent_id} then null else result end, error = null, note = null
    where workspace = ${workspace} and id = any(${ids}::text[])`.execute(tx)
  return ids.length
}
