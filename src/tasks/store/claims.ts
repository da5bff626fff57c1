import { INTO_AUDIT_LOG } from '../../audit/store/rows.js'
import type { Agent } from '../../kernel/agent.js'
import type { AuditRow } from '../../kernel/receipt.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { addressesOf } from '../../kernel/addresses.js'
import { HISTORY_AND_FEED } from './history-and-feed.js'
import { TASK_COLUMNS, type TaskRow } from './tasks.js'

/** Among which tasks somebody wants one: all, one, those of a session, or those of the sessions it is limited to. */
export type Wanted =
  | { of: 'any' }
  | { of: 'task'; task_id: string }
  | { of: 'session'; session_id: string }
  | { of: 'sessions'; session_ids: readonly string[] }

export interface ClaimRequest {
  agent: Agent
  wanted: Wanted
  audit: AuditRow
}

/** The task, or why there is none: none is ready, or others have locked those that are at this moment. */
export type Claimed = TaskRow | 'none' | 'busy'

/** `w.places` is what a request names. */
const AMONG: Record<Wanted['of'], string> = {
  any: 'true',
  task: 't.id = w.places[1]',
  session: 't.session_id = w.places[1]',
  sessions: 't.session_id = any(w.places)'
}

type Values = [workspace: string, requests: string, addresses: string[]]
type Row = { busy: number[]; n: number } & TaskRow

/**
 * Many claims in one statement, which commits by itself. Each of the ready tasks of some places, by priority and then
 * age, goes to the first request for these places that may have it. Tasks that somebody else has locked are passed
 * over, so that claimers never wait for each other.
 *
 * Only as many tasks are looked at as there are requests for the same places. If some of these are for agents that have
 * one already, a request may end without a task although there is one for it. Then it is busy, as where others have
 * locked them. For the array of ids see completions.ts.
 */
function claimAmong(of: Wanted['of']) {
  const ready = `t.workspace = $1 and t.state = 'submitted' and t.blocked = 0 and ${AMONG[of]}
    and (t.addressees = '{}' or t.addressees && $3::text[])
    and (t.session_id = '' or (select s.is_active from sessions s where s.workspace = t.workspace
      and s.id = t.session_id))`
  return defineStatement<Values, Row>(
    `tasks.claim_${of}`,
    `with recursive request as materialized (
      select * from json_to_recordset($2) as q (r int, places text[], agent_id text, agent_type text, event_type text,
        action text, result text, request_id text, audit_metadata jsonb)
    ), wanted as materialized (
      select places, count(*) as many from request group by places
    ), candidate as materialized (
      select t.*, w.places from wanted w cross join lateral (
        select t.id, t.addressees, t.priority, t.number from tasks t where ${ready}
        order by t.priority desc, t.number limit w.many for update skip locked) t
    ), ordered as materialized (
      -- Sessions of several requests may overlap: a task is handed out once.
      select id, places, addressees, row_number() over (order by priority desc, number) as i
      from (select distinct on (id) * from candidate order by id) once
    ), given (i, id, r, served) as (
      select 0::bigint, null::text collate "C", null::int, '{}'::int[]
      union all
      select o.i, o.id, pick.r, case when pick.r is null then given.served else given.served || pick.r end
      from given join ordered o on o.i = given.i + 1 left join lateral (
        select q.r from request q
        where q.places = o.places and q.r <> all(given.served) and (o.addressees = '{}'
          or q.agent_id = any(o.addressees) or 'type:' || q.agent_type = any(o.addressees))
        order by q.r limit 1) pick on true
    ), moved as (
      update tasks t set state = 'working', assignee = q.agent_id, lease_token = nextval('lease_tokens'),
        lease_expires_at = clock_timestamp() + make_interval(secs => t.lease_seconds), updated_at = clock_timestamp()
      from given join request q on q.r = given.r
      where t.workspace = $1 and t.id = any(array(select id from given where r is not null)) and t.id = given.id
      returning ${TASK_COLUMNS}, q.r as n, 'submitted' as was, null::text as said, q.agent_id
    ), ${HISTORY_AND_FEED}, audited as (
      insert into ${INTO_AUDIT_LOG}
      select $1, q.event_type, q.agent_id, nullif(m.session_id, ''), q.action, 'task:' || m.id, q.result,
        q.request_id, q.audit_metadata
      from moved m join request q on q.r = m.n
    )
    select rest.busy, moved.* from (
      select coalesce(array_agg(q.r), '{}') as busy from request q join wanted w on w.places = q.places
      where q.r not in (select r from given where r is not null) and exists (
        select from tasks t where ${ready} and t.id not in (select id from candidate))) rest
    left join moved on true`
  )
}

const claim: Record<Wanted['of'], ReturnType<typeof claimAmong>> = {
  any: claimAmong('any'),
  task: claimAmong('task'),
  session: claimAmong('session'),
  sessions: claimAmong('sessions')
}

/** What a request names; nothing where it takes any task. */
function placesOf(wanted: Wanted): readonly string[] {
  switch (wanted.of) {
    case 'any':
      return []
    case 'task':
      return [wanted.task_id]
    case 'session':
      return [wanted.session_id]
    case 'sessions':
      return [...wanted.session_ids].sort()
  }
}

/** Claims that one statement can serve together have the same key. */
export function claimKey({ agent: { workspace }, wanted }: ClaimRequest): string {
  return `${wanted.of}:${workspace}`
}

/** Serves claims of one key; the outcomes are in the order of the requests. */
export async function claimTasks(db: Db, requests: readonly ClaimRequest[]): Promise<Claimed[]> {
  const { agent, wanted } = requests[0] as ClaimRequest
  const rows = await claim[wanted.of](db, [
    agent.workspace,
    JSON.stringify(
      requests.map(({ agent: { agent_id, agent_type }, wanted, audit }, r) => ({
        r,
        places: placesOf(wanted),
        agent_id,
        agent_type,
        event_type: audit.event_type,
        action: audit.action,
        result: audit.result,
        request_id: audit.request_id,
        audit_metadata: audit.metadata
      }))
    ),
    [...new Set(requests.flatMap(({ agent }) => addressesOf(agent)))]
  ])
  const busy = new Set(rows[0]?.busy)
  const outcomes: Claimed[] = requests.map((_, r) => (busy.has(r) ? 'busy' : 'none'))
  for (const { busy: _, n, ...task } of rows) if (task.id !== null) outcomes[n] = task
  return outcomes
}
