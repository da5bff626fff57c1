import { sql } from 'kysely'
import { type AuditKeys, isHeadGenuine, isSame, signBeginning } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { beginningOf } from './heads.js'

export interface DropRequest {
  workspace: string
  /** Only rows that are older go. */
  before: string
  /** Most rows of one call. */
  limit: number
}

/**
 * Drops a workspace's oldest audit rows, up to the newest head all of whose rows are older than `before`, if that is
 * genuine; it becomes the chain's beginning, signed, so that what is left still verifies. Rows beyond it stay until a
 * later head is old enough. In a transaction of the caller's; again until it returns 0.
 * @returns how many rows went
 */
export async function dropAuditRows(
  tx: Db,
  keys: AuditKeys,
  { workspace, before, limit }: DropRequest
): Promise<number> {
  let beginning = await beginningOf(tx, workspace)
  // What an earlier call has left comes first.
  const left = beginning !== undefined ? await drop(tx, workspace, beginning.seq, limit) : 0
  if (left > 0) return left

  const head = await newestBefore(tx, workspace, beginning?.seq ?? 0, before)
  if (head === undefined || !isHeadGenuine(keys, head) || !isSame(head.mac, head.chained)) return 0
  const {
    rows: [clock]
  } = await sql<{ now: string }>`select clock_timestamp() as now`.execute(tx)
  beginning = signBeginning(keys.first, {
    workspace,
    seq: head.seq,
    mac: head.mac,
    begun_at: (clock as { now: string }).now
  })
  await tx
    .insertInto('audit_beginnings')
    .values(beginning)
    .onConflict(conflict => conflict.doNothing())
    .execute()
  return drop(tx, workspace, head.seq, limit)
}

/**
 * Rows of a chain are about in the order of time: a head is old enough if it was signed before, since its rows were
 * there then.
 */
async function newestBefore(db: Db, workspace: string, after: number, before: string) {
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

/** By the database's own function: the tables let rows go in no other way. */
async function drop(db: Db, workspace: string, up_to: number, limit: number): Promise<number> {
  const {
    rows: [row]
  } = await sql<{ dropped: number }>`select drop_audit_rows(${workspace}, ${up_to}, ${limit}) as dropped`.execute(db)
  return row?.dropped ?? 0
}
