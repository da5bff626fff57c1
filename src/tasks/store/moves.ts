import { sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import type { TaskState } from '../../kernel/task-states.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { HISTORY_AND_FEED } from './history-and-feed.js'
import { type LockedTask, TASK_COLUMNS, type TaskRow } from './tasks.js'

/** Who moves tasks; without agent_id it is no agent, but the end of a lease. */
export type Mover = Pick<Agent, 'workspace'> & Partial<Pick<Agent, 'agent_id'>>

/** What becomes of a task whose row the caller has locked. */
export interface Move {
  task: Pick<TaskRow, 'id' | 'state' | 'attempts' | 'assignee' | 'error' | 'note'>
  state: TaskState
  attempts?: number
  error?: string | null
  note?: string | null
  /** For the history. */
  said?: string | null
}

const moveAll = defineStatement<[workspace: string, moves: string], TaskRow>(
  'tasks.move',
  `with move as materialized (
    select * from json_to_recordset($2) as m (n int, id text, was text, state text, attempts int, assignee text,
      error text, note text, said text, agent_id text)
  ), moved as (
    update tasks t set state = m.state, attempts = m.attempts, assignee = m.assignee, error = m.error, note = m.note,
      lease_expires_at = case when m.state in ('working', 'input_required') then t.lease_expires_at end,
      updated_at = clock_timestamp()
    from move m where t.workspace = $1 and t.id = m.id
    returning ${TASK_COLUMNS}, m.n, m.was, m.said, m.agent_id
  ), ${HISTORY_AND_FEED}
  select * from moved order by n`
)

/** @returns the tasks as they are now, in the order of the moves */
export async function moveTasks(tx: Db, { workspace, agent_id = undefined }: Mover, moves: Move[]): Promise<TaskRow[]> {
  if (moves.length === 0) return []
  const rows = moves.map(({ task, state, attempts, error, note, said = null }, n) => ({
    n,
    id: task.id,
    was: task.state,
    state,
    attempts: attempts ?? task.attempts,
    // Who did it stays with what is done; what is to be done again is nobody's.
    assignee: state === 'submitted' ? null : task.assignee,
    error: error === undefined ? task.error : error,
    note: note === undefined ? task.note : note,
    said,
    agent_id: agent_id ?? null
  }))
  return moveAll(tx, [workspace, JSON.stringify(rows)])
}

/** @returns the task as it is now */
export async function moveTask(tx: Db, mover: Mover, move: Move): Promise<TaskRow> {
  const [moved] = await moveTasks(tx, mover, [move])
  return moved as TaskRow
}

/**
 * Checks that the agent holds the task by that token.
 * @throws AppError LEASE_LOST
 */
export function requireLease({ lease_token, leased, assignee }: LockedTask, agent: Agent, token: number): void {
  if (!leased || lease_token !== token || assignee !== agent.agent_id) throw leaseLost()
}

export function leaseLost(): AppError {
  return new AppError('LEASE_LOST', 'This lease_token does not hold the task, or no longer does.', {
    context: { argument: 'lease_token' },
    suggestions: [
      'Stop working on the task: somebody else may do it by now',
      'Call get_task to see what became of it, or claim_task for the next one'
    ]
  })
}

/** Gives up what waits for tasks that will never be completed: all that depend on them, directly or not. */
export async function cancelDependents(tx: Db, { workspace }: Mover, ids: readonly string[]): Promise<TaskRow[]> {
  const { rows } = await sql<Move['task'] & { because: string }>`
    with recursive lost (id, because) as (
      select task_id, depends_on from task_dependencies
      where workspace = ${workspace} and depends_on = any(${ids}::text[])
      union
      select d.task_id, d.depends_on from lost join task_dependencies d
        on d.workspace = ${workspace} and d.depends_on = lost.id
    )
    select t.id, t.state, t.attempts, t.assignee, t.error, t.note,
      (select min(lost.because) from lost where lost.id = t.id) as because
    from tasks t
    where t.workspace = ${workspace} and t.id in (select id from lost)
      and t.state not in ('completed', 'failed', 'canceled')
    order by t.id for update of t`.execute(tx)
  const canceled = await moveTasks(
    tx,
    { workspace },
    rows.map(({ because, ...task }) => ({
      task,
      state: 'canceled',
      said: `It depended on ${because}, which was not completed.`
    }))
  )
  if (canceled.length === 0) return []
  // One of them may have been waited for, by whoever made a task that depends on it.
  const later = await cancelDependents(
    tx,
    { workspace },
    canceled.map(({ id }) => id)
  )
  return [...canceled, ...later]
}
