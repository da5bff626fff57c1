import { type Selectable, sql } from 'kysely'
import type { Agent } from '../../kernel/agent.js'
import type { Db, Schema } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { taskSeenBy } from '../../visibility/tasks.js'
import { viewerColumns, viewerRows } from '../../visibility/visibility.js'

/** A task as the feed tells it, as it is now: get_task has the rest. */
export type ToldTask = { task_id: string; to: string[] } & Pick<
  Selectable<Schema['tasks']>,
  'title' | 'state' | 'session_id' | 'created_by' | 'assignee' | 'priority' | 'attempts' | 'updated_at'
>

/** Whether anything happened to a task of a session after a cursor. */
export const haveTasksChanged = defineStatement<
  { workspace: string; session_id: string; after_seq: number },
  { changed: boolean }
>(
  'tasks.changed_after',
  (_db, { workspace, session_id, after_seq }) => sql`
    select exists (select from session_changes c where c.workspace = ${workspace} and c.session_id = ${session_id}
      and c.seq > ${after_seq} and c.kind = 'task_changed') as changed`
)

/**
 * @param changes the numbers of changes, and the tasks that they are of; a task that was swept has nothing to tell
 * @returns each change with the viewers that see its task, by their number from 1; null: all
 */
export async function taskChanges(
  db: Db,
  viewers: readonly Agent[],
  changes: ReadonlyArray<[seq: number, task_id: string]>
) {
  const { workspace } = viewers[0] as Agent
  const { rows } = await sql<ToldTask & { seen_by: number[] | null }>`
    with viewer as materialized (select * from ${viewerRows(viewerColumns(viewers))})
    select t.id as task_id, t.title, t.state, t.session_id, t.addressees as to, t.created_by, t.assignee, t.priority,
      t.attempts, t.updated_at, ${taskSeenBy('viewer')} as seen_by
    from tasks t
    where t.workspace = ${workspace} and t.id = any(${changes.map(([, id]) => id)}::text[])`.execute(db)
  const tasks = new Map(rows.map(({ seen_by, ...task }) => [task.task_id, { task, seen_by }]))
  return changes.flatMap(([seq, id]) => {
    const of = tasks.get(id)
    return of === undefined
      ? []
      : { seen_by: of.seen_by, change: { seq, type: 'task_changed' as const, task: of.task } }
  })
}
