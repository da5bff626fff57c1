import { type RawBuilder, sql } from 'kysely'
import type { AuditText } from './keys.js'

/**
 * All columns of audit_log, in the order in which a mac covers them. Their texts depend on no connection setting. The
 * order is part of every mac: add a new column at the end, and only for rows that a new key signs.
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

/** The columns of an audit row as texts; `id` is null if the row is missing. */
export type CoveredRow = Record<(typeof COVERED)[number], AuditText>

/** @param a the alias of audit_log */
export function coveredColumns(a: string): RawBuilder<CoveredRow> {
  return sql`${sql.join(
    COVERED.map(name => {
      const column = sql.ref(`${a}.${name}`)
      return sql`${name === 'timestamp' ? sql`extract(epoch from ${column})` : column}::text as ${sql.ref(name)}`
    })
  )}`
}

export function textsOf(row: CoveredRow): AuditText[] {
  return COVERED.map(name => row[name])
}

/** Whether a row is chained. A scalar subquery, so that the planner looks each row up by index. */
export function isChained(a: string): RawBuilder<boolean> {
  return sql<boolean>`(select true from audit_chain c where c.workspace = ${sql.ref(`${a}.workspace`)}
      and c.audit_id = ${sql.ref(`${a}.id`)} limit 1) is not null`
}
