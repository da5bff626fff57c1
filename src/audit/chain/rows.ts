import { type RawBuilder, sql } from 'kysely'
import type { AuditText } from './keys.js'

/**
 * The columns of audit_log that a mac covers, all of them, as texts which depend on no setting of a connection. The
 * order is part of every mac: a new column comes last, and only for rows with a key of their own.
 */
const COVERED = [
  'id',
  'workspace',
  'timestamp',
  'event_type',
  'agent_id',
  'session_id',
  'action',
  'resource',
  'result',
  'request_id',
  'metadata'
] as const

/** An audit row by the texts of its columns; `id` is null where the row is not there. */
export type CoveredRow = Record<(typeof COVERED)[number], AuditText>

/** @param a the alias of audit_log */
export function coveredColumns(a: string): RawBuilder<CoveredRow> {
  const column = (name: string) => sql.ref(`${a}.${name}`)
  return sql`
    ${column('id')}::text as id, ${column('workspace')}::text as workspace, extract(epoch from ${column('timestamp')})::text as timestamp,
    ${column('event_type')}::text as event_type, ${column('agent_id')}::text as agent_id, ${column('session_id')}::text as session_id, ${column('action')}::text as action,
    ${column('resource')} as resource, ${column('result')} as result, ${column('request_id')} as request_id, ${column('metadata')}::text as metadata`
}

export function textsOf(row: CoveredRow): AuditText[] {
  return COVERED.map(name => row[name])
}

/** Whether a row has its place in the chain: asked row by row, whatever the planner thinks of the tables' sizes. */
export function isChained(a: string): RawBuilder<boolean> {
  return sql<boolean>`(select true from audit_chain c where c.workspace = ${sql.ref(`${a}.workspace`)} and c.audit_id = ${sql.ref(`${a}.id`)} limit 1) is not null`
}
