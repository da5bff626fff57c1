import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { auditRow } from '../../kernel/audit-row.js'
import type { AuditRow } from '../../kernel/receipt.js'
import type { AuditFields } from '../../kernel/tool.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { withinSessions } from '../../visibility/visibility.js'

/** Where a statement inserts audit rows, with the columns that it fills. */
export const INTO_AUDIT_LOG =
  'audit_log (workspace, event_type, agent_id, session_id, action, resource, result, request_id, metadata)'

/** In a transaction the row goes with the commit, in one round trip. */
const insertRow = defineStatement<Array<string | null>, never>(
  'audit_log.write',
  `insert into ${INTO_AUDIT_LOG}
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
  undefined,
  { withNext: true }
)

export async function write(db: Db, row: AuditRow): Promise<void> {
  const { workspace, event_type, agent_id, session_id, action, resource, result, request_id, metadata } = row
  const values = [workspace, event_type, agent_id, session_id, action, resource, result, request_id]
  await insertRow(db, [...values, JSON.stringify(metadata)])
}

/** Writes the row of what no agent asked for: background work, or a command of the operator. */
export async function writeWithoutAgent(
  db: Db,
  workspace: string,
  action: string,
  fields: AuditFields,
  request_id = `${action}-${randomUUID()}`
): Promise<void> {
  await write(db, auditRow(fields, action, { workspace }, { request_id }))
}

export interface AuditFilter {
  workspace: string
  /** Only rows of these sessions. */
  sessions?: readonly string[]
  session_id?: string
  agent_id?: string
  event_type?: string
  start_time?: string
  end_time?: string
  limit: number
  after?: { timestamp: string; id: number }
}

/** Lists rows newest first: at most `limit + 1`, where the extra row shows that there are more. */
export async function list(db: Db, filter: AuditFilter) {
  let query = db.selectFrom('audit_log').where('workspace', '=', filter.workspace)
  if (filter.sessions !== undefined) query = query.where(withinSessions(filter.sessions, 'session_id'))
  if (filter.session_id !== undefined) query = query.where('session_id', '=', filter.session_id)
  if (filter.agent_id !== undefined) query = query.where('agent_id', '=', filter.agent_id)
  if (filter.event_type !== undefined) query = query.where('event_type', '=', filter.event_type)
  if (filter.start_time !== undefined) query = query.where('timestamp', '>=', filter.start_time)
  if (filter.end_time !== undefined) query = query.where('timestamp', '<=', filter.end_time)
  if (filter.after !== undefined)
    query = query.where(sql<boolean>`(timestamp, id) < (${filter.after.timestamp}::timestamptz, ${filter.after.id})`)
  return query
    .select([
      'id',
      'timestamp',
      'event_type',
      'agent_id',
      'session_id',
      'action',
      'resource',
      'result',
      'request_id',
      'metadata'
    ])
    .orderBy('timestamp', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute()
}
