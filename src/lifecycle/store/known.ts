import { sql } from 'kysely'
import { auditedWorkspaces } from '../../audit/chain/heads.js'
import { DEFAULT_WORKSPACE } from '../../kernel/agent.js'
import type { Db } from '../../postgres/schema.js'
import { workspacesIn } from '../../postgres/workspaces.js'

/** What is stored of whom, for the operator's commands: they refuse names of which there is nothing. */

/** Every workspace that has something or had it, sorted; the default one always exists. */
export async function knownWorkspaces(db: Db): Promise<string[]> {
  const found = new Set([DEFAULT_WORKSPACE, ...(await auditedWorkspaces(db))])
  for (const table of [
    'sessions',
    'agent_memory',
    'memory_namespaces',
    'tasks',
    'leases',
    'agents',
    'api_keys',
    'tokens'
  ])
    for (const workspace of await workspacesIn(db, table)) found.add(workspace)
  return [...found].sort()
}

/** What there is of an agent. */
export interface AgentTraces {
  messages: number
  /** Sessions that hold these messages. */
  sessions: number
  opened_sessions: number
  memory: number
  /** Tokens that are still valid. */
  tokens: number
  /** API keys of this agent alone. */
  api_keys: number
  /** Other rows: namespaces of memory, tasks, leases, read cursors, receipts, inbox and presence. */
  others: number
}

export async function tracesOf(db: Db, workspace: string, agent_id: string): Promise<AgentTraces> {
  const { rows } = await sql<AgentTraces>`
    with own as (select ${workspace}::text as workspace, ${agent_id}::text as agent_id),
    written as (select count(*) as messages, count(distinct m.session_id) as sessions
      from own join messages m on m.workspace = own.workspace and m.sender = own.agent_id)
    select messages, sessions,
      (select count(*) from sessions s where s.workspace = own.workspace and s.created_by = own.agent_id)
        as opened_sessions,
      (select count(*) from agent_memory a where a.workspace = own.workspace and a.agent_id = own.agent_id) as memory,
      (select count(*) from tokens t where t.workspace = own.workspace and t.agent_id = own.agent_id
        and t.revoked_at is null and t.expires_at > clock_timestamp()) as tokens,
      (select count(*) from api_keys k where k.workspace = own.workspace and k.agent_id = own.agent_id) as api_keys,
      (select count(*) from read_cursors c where c.workspace = own.workspace and c.agent_id = own.agent_id)
        + (select count(*) from receipts r where r.workspace = own.workspace and r.agent_id = own.agent_id)
        + (select count(*) from inbox i where i.workspace = own.workspace and i.name = own.agent_id)
        + (select count(*) from tasks t where t.workspace = own.workspace
          and (t.created_by = own.agent_id or t.assignee = own.agent_id))
        + (select count(*) from memory_namespaces n where n.workspace = own.workspace and n.owner = own.agent_id)
        + (select count(*) from leases l where l.workspace = own.workspace and l.holder = own.agent_id)
        + (select count(*) from agents a where a.workspace = own.workspace and a.agent_id = own.agent_id)
        + (select count(*) from session_changes c where c.workspace = own.workspace
          and (c.changed_by = own.agent_id or c.sender = own.agent_id)) as others
    from own, written`.execute(db)
  return rows[0] as AgentTraces
}

/** The agents of a workspace that have left something, in no order. */
export async function knownAgents(db: Db, workspace: string): Promise<string[]> {
  const { rows } = await sql<{ agent_id: string }>`
    select agent_id from agents where workspace = ${workspace}
    union select created_by from sessions where workspace = ${workspace}
    union select sender from messages where workspace = ${workspace}
    union select agent_id from agent_memory where workspace = ${workspace}
    union select owner from memory_namespaces where workspace = ${workspace}
    union select created_by from tasks where workspace = ${workspace}
    union select assignee from tasks where workspace = ${workspace} and assignee is not null
    union select holder from leases where workspace = ${workspace}
    union select agent_id from api_keys where workspace = ${workspace}`.execute(db)
  return rows.map(({ agent_id }) => agent_id)
}

/**
 * What is older than so many days, and would be deleted: of messages and closed sessions, or of audit rows. The
 * messages of deleted sessions do not count: nobody can read them, and their rows go soon in any case.
 */
export async function olderThan(
  db: Db,
  table: 'retention' | 'audit_retention',
  workspace: string,
  days: number
): Promise<{ messages: number; sessions: number; audit_rows: number }> {
  const cutoff = sql`now() - make_interval(days => ${days}::int)`
  if (table === 'audit_retention') {
    const { rows } = await sql<{ audit_rows: number }>`
      select count(*) as audit_rows from audit_log
      where workspace = ${workspace} and timestamp < ${cutoff}`.execute(db)
    return { messages: 0, sessions: 0, audit_rows: rows[0]?.audit_rows ?? 0 }
  }
  const { rows } = await sql<{ messages: number; sessions: number }>`
    select (select count(*) from messages m where workspace = ${workspace} and timestamp < ${cutoff}
        and not exists (select from deleted_sessions d
          where d.workspace = m.workspace and d.session_id = m.session_id)) as messages,
      (select count(*) from sessions where workspace = ${workspace} and not is_active and created_at < ${cutoff}
        and updated_at < ${cutoff} and (last_message_at is null or last_message_at < ${cutoff})) as sessions`.execute(
    db
  )
  return { messages: rows[0]?.messages ?? 0, sessions: rows[0]?.sessions ?? 0, audit_rows: 0 }
}

/** How many messages the last complete erasure of an agent has deleted. */
export async function erasedMessages(db: Db, workspace: string, agent_id: string): Promise<number> {
  const { rows } = await sql<{ messages: number }>`
    select (metadata ->> 'messages')::int as messages from audit_log
    where workspace = ${workspace} and event_type = 'agent_erasure_finished' and resource = ${`agent:${agent_id}`}
    order by timestamp desc, id desc limit 1`.execute(db)
  return rows[0]?.messages ?? 0
}
