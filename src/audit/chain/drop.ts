import { sql } from 'kysely'
import { type AuditKeys, isHeadGenuine, isSame, signBeginning } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { databaseTime } from '../../postgres/clock.js'
import { beginningOf } from './heads.js'

export interface DropRequest {
  workspace: string
  /** Only rows older than this time are dropped. */
  before: string
  /** Most rows that one call drops. */
  limit: number
}

/**
 * Drops a workspace's oldest audit rows, up to the newest head whose rows are all older than `before`, if its signature
 * is valid. That head becomes the signed beginning of the chain, so that the remaining rows still verify. Rows beyond
 * it stay until a later head is old enough. Call it repeatedly, each time in a transaction, until it returns 0.
 * @returns how many rows were dropped
 */
export async function dropAuditRows(
  tx: Db,
  keys: AuditKeys,
  { workspace, before, limit }: DropRequest
): Promise<number> {
  const beginning = await beginningOf(tx, workspace)
  // First drop the rows before the beginning that an earlier call did not reach.
  const remaining = beginning !== undefined ? await drop(tx, workspace, beginning.seq, limit) : 0
  if (remaining > 0) return remaining

  const head = await newestHeadBefore(tx, workspace, beginning?.seq ?? 0, before)
  if (head === undefined || !isHeadGenuine(keys, head) || !isSame(head.mac, head.chained)) return 0
  const begun_at = await databaseTime(tx)
  await tx
    .insertInto('audit_beginnings')
    .values(signBeginning(keys.first, { workspace, seq: head.seq, mac: head.mac, begun_at }))
    .onConflict(conflict => conflict.doNothing())
    .execute()
  return drop(tx, workspace, head.seq, limit)
}

/**
 * The newest head signed before the given time. Its rows were written before it was signed, so they are old enough too.
 */
async function newestHeadBefore(db: Db, workspace: string, after: number, before: string) {
  return db
    .selectFrom('audit_heads as h')
    .innerJoin('audit_chain as c', join => join.onRef('c.workspace', '=', 'h.workspace').onRef('c.seq', '=', 'h.seq'))
    .where('h.workspace', '=', workspace)
    .where('h.seq', '>', after)
    .where('h.signed_at', '<', before)
    .orderBy('h.signed_at', 'desc')
    .orderBy('h.seq', 'desc')
    .limit(1)
    .selectAll('h')
    .select('c.mac as chained')
    .executeTakeFirst()
}

/** Calls the database function that drops rows: the tables allow no other deletion. */
async function drop(db: Db, workspace: string, up_to: number, limit: number): Promise<number> {
  const {
    rows: [row]
  } = await sql<{ dropped: number }>`select drop_audit_rows(${workspace}, ${up_to}, ${limit}) as dropped`.execute(db)
  return row?.dropped ?? 0
}
