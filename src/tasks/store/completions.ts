import { INTO_AUDIT_LOG } from '../../audit/store/rows.js'
import type { Agent } from '../../kernel/agent.js'
import type { AuditRow } from '../../kernel/receipt.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { HISTORY_AND_FEED } from './history-and-feed.js'
import { TASK_COLUMNS, type TaskRow } from './tasks.js'

export interface CompletionRequest {
  agent: Agent
  task_id: string
  lease_token: number
  /** As JSON text. */
  result: string
  audit: AuditRow
}

export interface Completed {
  task: TaskRow
  /** Whether other tasks wait for it. */
  awaited: boolean
}

type Row = TaskRow & { n: number; awaited: boolean }

/**
 * Many completions in one statement, which commits by itself. A task is completed by whoever holds it, and by nobody
 * else: the row is locked when its token and the end of its lease are looked at.
 *
 * Tasks are named by arrays, so that the planner uses their ids. Without statistics, while many tasks are new, it would
 * join all tasks of the workspace.
 */
const complete = defineStatement<[workspace: string, requests: string], Row>(
  'tasks.complete',
  `with request as materialized (
    select * from json_to_recordset($2) as q (r int, task_id text, token bigint, agent_id text, answer text,
      event_type text, action text, audit_result text, request_id text, audit_metadata jsonb)
  ), asked as materialized (
    select t.id, t.state, t.lease_token, t.lease_expires_at, t.assignee from tasks t
    where t.workspace = $1 and t.id = any(array(select task_id from request))
      and (t.session_id = '' or exists (select from sessions s where s.workspace = t.workspace and s.id = t.session_id))
    order by t.id for update
  ), own as materialized (
    select q.*, asked.state as was from request q join asked on asked.id = q.task_id
    where asked.lease_token = q.token and asked.assignee = q.agent_id
      and asked.state in ('working', 'input_required') and asked.lease_expires_at > clock_timestamp()
  ), moved as (
    update tasks t set state = 'completed', result = own.answer::jsonb, lease_expires_at = null,
      updated_at = clock_timestamp()
    from own where t.workspace = $1 and t.id = any(array(select task_id from own)) and t.id = own.task_id
    returning ${TASK_COLUMNS}, own.r as n, own.was, null::text as said, own.agent_id
  ), ${HISTORY_AND_FEED}, audited as (
    insert into ${INTO_AUDIT_LOG}
    select $1, q.event_type, q.agent_id, nullif(m.session_id, ''), q.action, 'task:' || m.id, q.audit_result,
      q.request_id, q.audit_metadata
    from moved m join request q on q.r = m.n
  )
  select ${TASK_COLUMNS}, n, exists (select from task_dependencies d where d.workspace = $1 and d.depends_on = t.id)
    as awaited
  from moved t`
)

/** Completes tasks of one workspace; undefined in the place of a request whose token is outdated. */
export async function completeTasks(
  db: Db,
  requests: readonly CompletionRequest[]
): Promise<Array<Completed | undefined>> {
  const { agent } = requests[0] as CompletionRequest
  const rows = await complete(db, [
    agent.workspace,
    JSON.stringify(
      requests.map(({ agent, task_id, lease_token, result, audit }, r) => ({
        r,
        task_id,
        token: lease_token,
        agent_id: agent.agent_id,
        answer: result,
        event_type: audit.event_type,
        action: audit.action,
        audit_result: audit.result,
        request_id: audit.request_id,
        audit_metadata: audit.metadata
      }))
    )
  ])
  const outcomes = requests.map((): Completed | undefined => undefined)
  for (const { n, awaited, ...task } of rows) outcomes[n] = { task, awaited }
  return outcomes
}
