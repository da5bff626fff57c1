import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { AuditRow } from '../kernel/receipt.js'
import type { AuditFields } from '../kernel/tool.js'
import type { Db } from '../postgres/schema.js'

/** Rows of one transaction: about 10 ms, so that no lock is held for long. */
export const BATCH = 500
/**
 * Advisory lock of the only process in a database that runs lifecycle work. The number is arbitrary, but no other lock
 * of this service may use it: a lock shared with the audit drainer once ended rounds early, and retention waited half
 * an hour for the next round.
 */
const LOCK = 7_261_004

/**
 * Runs one batch in a transaction that holds the lifecycle lock.
 * @returns undefined if another process holds the lock
 */
export async function underLock<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T | undefined> {
  return db.transaction().execute(async tx => {
    const { rows } = await sql<{ ours: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as ours`.execute(tx)
    return rows[0]?.ours === true ? work(tx) : undefined
  })
}

/** The audit row of background work, which no agent requested. */
export function serviceAuditRow(
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
