import { sql } from 'kysely'
import * as audit from '../../audit/store/rows.js'
import { sessionTopic, tasksTopic, type Topic } from '../../kernel/events.js'
import { CLOCK } from '../../postgres/clock.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, transact, type Unscoped } from '../../postgres/scope.js'
import { cancelDependents, type Move, moveTasks } from './moves.js'
import type { TaskRow } from './tasks.js'

/** Tasks of one transaction, which locks them and the rows of their sessions. */
const BATCH = 200

const ENDED = sql<boolean>`lease_expires_at <= ${CLOCK}`

/**
 * Takes back the tasks whose lease has ended, by the database's clock, and fails those that were tried often enough.
 * Any number of replicas may do it at the same time: each passes over what another has locked.
 * @param all reads all workspaces
 * @returns what to tell the replicas, empty if there was nothing; and how many leases had ended
 */
export async function takeBackTasks(all: Db, database: Unscoped): Promise<{ topics: Topic[]; ended: number }> {
  const { rows } = await sql<{ workspace: string }>`
    select distinct workspace from (select workspace from tasks where ${ENDED}
      order by lease_expires_at limit ${BATCH}) ended`.execute(all)
  const topics: Topic[] = []
  let ended = 0
  for (const { workspace } of rows) {
    const { moved, leases } = await transact(inWorkspace(database, workspace), tx => takeBack(tx, workspace))
    ended += leases
    if (moved.length > 0) topics.push(tasksTopic(workspace))
    const sessions = new Set(moved.map(({ session_id }) => session_id).filter(id => id !== ''))
    for (const id of sessions) topics.push(sessionTopic(workspace, id))
  }
  return { topics, ended }
}

async function takeBack(tx: Db, workspace: string): Promise<{ moved: TaskRow[]; leases: number }> {
  const { rows } = await sql<Move['task'] & { max_attempts: number }>`
    select id, state, attempts, assignee, error, note, max_attempts from tasks
    where workspace = ${workspace} and ${ENDED} order by id limit ${BATCH} for update skip locked`.execute(tx)
  if (rows.length === 0) return { moved: [], leases: 0 }
  const moves = rows.map(({ max_attempts, ...task }): Move => {
    const attempts = task.attempts + 1
    const said = `The lease of ${task.assignee ?? 'nobody'} ended.`
    return attempts < max_attempts
      ? { task, state: 'submitted', attempts, said }
      : { task, state: 'failed', attempts, error: task.error ?? said, said }
  })
  const moved = await moveTasks(tx, { workspace }, moves)
  const failed = moves.filter(({ state }) => state === 'failed').map(({ task }) => task.id)
  const canceled = failed.length === 0 ? [] : await cancelDependents(tx, { workspace }, failed)
  await audit.writeWithoutAgent(tx, workspace, 'task_leases', {
    event_type: 'task_leases_ended',
    metadata: { task_ids: rows.map(({ id }) => id), failed: failed.length, canceled: canceled.length }
  })
  return { moved: [...moved, ...canceled], leases: rows.length }
}
