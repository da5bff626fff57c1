import { type RawBuilder, sql } from 'kysely'
import { type Agent, isAdmin } from '../kernel/agent.js'
import type { Db } from '../postgres/schema.js'
import { addressesOf } from '../kernel/addresses.js'
import { withinSessions } from './visibility.js'

/**
 * SQL condition: whether the session of the task `t` is there and open; also for a task without a session. (A scalar
 * subquery, so that each row's session is looked up by its key.)
 */
export const inOpenSession = sql<boolean>`(t.session_id = '' or (select s.is_active from sessions s
  where s.workspace = t.workspace and s.id = t.session_id))`

/** The tasks of deleted sessions are there until they are swept. */
const inLiveSession = sql<boolean>`(t.session_id = '' or (select true from sessions s
  where s.workspace = t.workspace and s.id = t.session_id))`

/** The tasks that the viewer may see. Every read of tasks for a caller starts here. */
export function readableTasks(db: Db, viewer: Agent) {
  let tasks = db.selectFrom('tasks as t').where('t.workspace', '=', viewer.workspace).where(inLiveSession)
  if (viewer.sessions !== undefined) tasks = tasks.where(withinSessions(viewer.sessions, 't.session_id'))
  if (isAdmin(viewer)) return tasks
  return tasks.where(sql<boolean>`(t.addressees = '{}' or t.created_by = ${viewer.agent_id}
    or t.assignee = ${viewer.agent_id} or t.addressees && ${addressesOf(viewer)}::text[])`)
}

/** SQL expression: the numbers n of the rows of `viewers` (viewerRows) that see the task `t`; null: all do. */
export function taskSeenBy(viewers: string): RawBuilder<number[] | null> {
  return sql<number[] | null>`case when t.addressees <> '{}' then array(select v.n::int from ${sql.ref(viewers)} v
    where v.is_admin or t.created_by = v.agent_id or t.assignee = v.agent_id or v.agent_id = any(t.addressees)
      or 'type:' || v.agent_type = any(t.addressees)) end`
}
