import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { AuditRow } from '../kernel/receipt.js'
import type { AuditFields } from '../kernel/tool.js'
import type { Db } from '../postgres/schema.js'

/** Rows of one transaction: some ten milliseconds, so that nothing is locked for long. */
export const BATCH = 500
/**
 * One process in a database at a time does what is in this folder; any fixed number that nothing else here locks. It
 * was the audit drainer's once: whenever that was at it, a round ended early, and retention waited half an hour for the
 * next.
 */
const LOCK = 7_261_004

/** Does one batch's work in a transaction of its own. @returns undefined where another process is at it */
export async function inTurn<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T | undefined> {
  return db.transaction().execute(async tx => {
    const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as ours`.execute(tx)
    return rows[0]?.ours === true ? work(tx) : undefined
  })
}

/** The audit row of what nobody called for. */
export function byService(
  workspace: string,
  action: string,
  { event_type, session_id, resource, metadata = {} }: AuditFields,
  request_id = `${action}-${randomUUID()}`
): AuditRow {
  return {
    workspace,
    event_type,
    agent_id: null,
    session_id: session_id ?? null,
    action,
    resource: resource ?? null,
    result: 'success',
    request_id,
    metadata
  }
}
