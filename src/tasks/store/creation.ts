import { randomBytes } from 'node:crypto'
import type { Agent } from '../../kernel/agent.js'
import { AppError } from '../../kernel/errors.js'
import { isFinal, type TaskState } from '../../kernel/task-states.js'
import { isBeyond, quotaExceeded, type Quotas } from '../../limits/quotas.js'
import { countedTasks, openTasks, refuseManyTasks } from '../../limits/store/task-usage.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { lockSession, sessionClosed } from '../../sessions/store/sessions.js'
import { readableTasks } from '../../visibility/tasks.js'
import { HISTORY_AND_FEED } from './history-and-feed.js'
import { TASK_COLUMNS, taskNotFound, type TaskRow } from './tasks.js'
import type { NewTask } from '../task-shapes.js'

export function newTaskId(): string {
  return `task_${randomBytes(8).toString('hex')}`
}

/** `before` is how many tasks were not done until now: a statement does not see its own rows. */
type Made = TaskRow & { before: number }

const insertTasks = defineStatement<[workspace: string, tasks: string, agent_id: string, counted: number], Made>(
  'tasks.create',
  `with given as materialized (
    select * from json_to_recordset($2) as g (n int, id text, title text, description text, session_id text,
      addressees json, depends_on json, blocked int, priority int, max_attempts int, lease_seconds int, metadata jsonb)
  ), made as (
    insert into tasks as t (workspace, id, title, description, session_id, addressees, depends_on, blocked, priority,
      max_attempts, lease_seconds, metadata, created_by, created_at, updated_at)
    select $1, g.id, g.title, g.description, g.session_id, array(select json_array_elements_text(g.addressees)),
      array(select json_array_elements_text(g.depends_on)), g.blocked, g.priority, g.max_attempts, g.lease_seconds,
      g.metadata, $3, clock.now, clock.now
    from given g, (select clock_timestamp() as now) clock order by g.n
    returning ${TASK_COLUMNS}
  ), needed as (
    insert into task_dependencies (workspace, task_id, depends_on)
    select $1, made.id, needs from made, unnest(made.depends_on) as needs
  ), moved as materialized (
    select made.*, g.n, null::text as was, null::text as said, $3::text as agent_id
    from made join given g on g.id = made.id
  ), ${HISTORY_AND_FEED}
  select moved.*, ${openTasks('$4')} as before from moved order by n`
)

/**
 * Writes the tasks of one call, in the caller's transaction: all or none.
 * @throws AppError TASK_NOT_FOUND for a dependency out of reach, CONFLICT for one that will never be completed,
 * SESSION_NOT_FOUND, SESSION_CLOSED, QUOTA_EXCEEDED
 */
export async function addTasks(tx: Db, agent: Agent, tasks: NewTask[], quotas: Quotas): Promise<TaskRow[]> {
  const own = new Set(tasks.map(({ id }) => id))
  const states = await lockDependencies(tx, agent, [
    ...new Set(tasks.flatMap(({ depends_on }) => depends_on).filter(id => !own.has(id)))
  ])
  const sessions = [...new Set(tasks.map(({ session_id }) => session_id))].filter(id => id !== '').sort()
  for (const id of sessions) {
    const { is_active, last_seq } = await lockSession(tx, agent, id)
    if (!is_active) throw sessionClosed()
    if (isBeyond('session_messages', last_seq + tasks.filter(({ session_id }) => session_id === id).length, quotas))
      throw quotaExceeded('session_messages', quotas)
  }
  const rows = tasks.map((task, n) => ({
    ...task,
    n,
    blocked: task.depends_on.filter(id => states.get(id) !== 'completed').length
  }))
  const made = await insertTasks(tx, [agent.workspace, JSON.stringify(rows), agent.agent_id, countedTasks(quotas)])
  await refuseManyTasks(tx, agent.workspace, (made[0]?.before ?? 0) + made.length, quotas)
  return made
}

/** The states of these tasks, which stay what they are until the transaction ends. */
async function lockDependencies(tx: Db, agent: Agent, ids: string[]): Promise<Map<string, TaskState>> {
  if (ids.length === 0) return new Map()
  const found = await readableTasks(tx, agent)
    .where('t.id', 'in', ids)
    .select(['t.id', 't.state'])
    .orderBy('t.id')
    .forShare('t')
    .execute()
  if (found.length < ids.length) throw taskNotFound('depends_on')
  const lost = found.find(({ state }) => isFinal(state) && state !== 'completed')
  if (lost !== undefined)
    throw new AppError('CONFLICT', `The task ${lost.id}, on which this one would depend, is ${lost.state}.`, {
      context: { argument: 'depends_on', task_id: lost.id, state: lost.state },
      suggestions: ['Leave it out of depends_on', 'Or create that task again, and depend on the new one']
    })
  return new Map(found.map(({ id, state }) => [id, state]))
}
