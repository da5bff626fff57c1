import {
  type AuditKeys,
  isBeginningGenuine,
  isHeadGenuine,
  isSame,
  NO_MAC,
  rowMac,
  type SignedBeginning,
  type SignedHead
} from './keys.js'
import type { Db } from '../../postgres/schema.js'
import * as faults from './faults.js'
import type { AuditFault } from './faults.js'
import { beginningOf } from './heads.js'
import {
  type ChainedRow,
  countUnchained,
  firstUnchained,
  headsAfter,
  macAt,
  newestHead,
  PAGE,
  pageAfter
} from './reads.js'
import { type CoveredRow, textsOf } from './rows.js'

/** The position that a verification has reached, from which the next call continues. */
export interface VerifiedTo {
  seq: number
  /** The verification has searched for unchained rows up to this id. */
  id: number
}

export interface Verification {
  first_seq: number
  to: VerifiedTo
  /** Whether the end was reached. */
  is_done: boolean
  rows: number
  heads: number
  last_head: { seq: number; signed_at: string } | null
  /** Rows that the drainer has not reached yet; counted only once the end is reached. */
  not_yet_chained: number
  fault: AuditFault | null
}

export interface VerifyLimits {
  from?: VerifiedTo
  /** Stop after about this many rows. */
  rows_max?: number
  /** Stop after about this time, in milliseconds. */
  time_ms?: number
}

/** Recomputes a workspace's chain from its beginning, and stops at the first fault. */
export async function verifyChain(
  db: Db,
  keys: AuditKeys,
  workspace: string,
  limits: VerifyLimits = {}
): Promise<Verification> {
  for (let beginning = await beginningOf(db, workspace); ;) {
    const found = await verifyFrom(db, keys, workspace, beginning, limits)
    if (found.fault === null) return found
    // Retention may have moved the beginning past the rows that seem to be missing.
    const current = await beginningOf(db, workspace)
    if (current === undefined || current.seq === (beginning?.seq ?? 0) || (found.fault.seq ?? 0) > current.seq)
      return found
    beginning = current
  }
}

async function verifyFrom(
  db: Db,
  keys: AuditKeys,
  workspace: string,
  beginning: SignedBeginning | undefined,
  { from, rows_max = Infinity, time_ms = Infinity }: VerifyLimits
): Promise<Verification> {
  const deadline = performance.now() + time_ms
  // The database assigns ids from 1, but a forged row may have any id.
  const start = { seq: beginning?.seq ?? 0, id: Number.MIN_SAFE_INTEGER }
  const to = { ...(from !== undefined && from.seq > start.seq ? from : start) }
  const newest = await newestHead(db, workspace)
  const result: Verification = {
    first_seq: start.seq + 1,
    to,
    is_done: false,
    rows: 0,
    heads: 0,
    last_head: newest === undefined ? null : { seq: newest.seq, signed_at: newest.signed_at },
    not_yet_chained: 0,
    fault: null
  }
  const finish = (fault: AuditFault | null): Verification => ({ ...result, fault })

  if (beginning !== undefined && !isBeginningGenuine(keys, beginning)) {
    const { seq, key_id } = beginning
    return finish(
      keys.find(key_id) === undefined ? faults.unknownKey(seq, null, key_id) : faults.unsignedBeginning(seq)
    )
  }
  let previous_mac =
    to.seq === 0 ? NO_MAC : to.seq === beginning?.seq ? beginning.mac : await macAt(db, workspace, to.seq)
  if (previous_mac === undefined) return finish(faults.missing(to.seq, null))

  for (;;) {
    const page = await pageAfter(db, workspace, to.seq)
    const heads = await headsAfter(db, workspace, to.seq, page.at(-1)?.seq)
    for (const [n, row] of page.entries()) {
      // If the row of a head is missing, report the row and not the head.
      if (row.seq !== to.seq + 1) return finish(faults.missing(to.seq + 1, null))
      if (row.id === null) return finish(faults.missing(row.seq, row.audit_id))
      const key = keys.find(row.key_id)
      if (key === undefined) return finish(faults.unknownKey(row.seq, row.audit_id, row.key_id))
      const mac: Buffer = rowMac(key, workspace, row.seq, previous_mac, textsOf(row))
      if (!isSame(mac, row.mac)) {
        const matches = (texts: CoveredRow) =>
          isSame(rowMac(key, workspace, row.seq, previous_mac as Buffer, textsOf(texts)), row.mac)
        return finish(alteredOrMoved(row, page.slice(n + 1), matches))
      }
      previous_mac = mac
      to.seq = row.seq
      result.rows++
      while (heads[0] !== undefined && heads[0].seq <= row.seq) {
        const fault = headFault(keys, heads.shift() as SignedHead, row)
        if (fault !== undefined) return finish(fault)
        result.heads++
      }
    }
    if (page.length < PAGE) {
      const [later_head] = heads.length > 0 ? heads : await headsAfter(db, workspace, to.seq, undefined)
      if (later_head !== undefined) {
        // Those rows were chained after this page was read.
        if ((await pageAfter(db, workspace, to.seq)).length > 0) continue
        return finish(
          isHeadGenuine(keys, later_head) ? faults.truncated(to.seq, later_head) : faults.unsignedHead(later_head)
        )
      }
    }

    const isEnd = page.length < PAGE
    const drained_to = newest !== undefined && isHeadGenuine(keys, newest) ? newest.drained_to : 0
    // Every row up to the largest id of the page must be chained, as far as the head covers it.
    const largest = page.reduce((most, { audit_id }) => Math.max(most, audit_id), to.id)
    const search_to = isEnd ? drained_to : Math.min(largest, drained_to)
    const forged = await firstUnchained(db, workspace, to.id, search_to)
    if (forged !== undefined) return finish(faults.forged(forged))
    to.id = Math.max(to.id, search_to)
    if (isEnd) return { ...result, is_done: true, not_yet_chained: await countUnchained(db, workspace, drained_to) }
    if (result.rows >= rows_max || performance.now() >= deadline) return result
  }
}

function headFault(keys: AuditKeys, head: SignedHead, row: ChainedRow): AuditFault | undefined {
  if (keys.find(head.key_id) === undefined) return faults.unknownKey(head.seq, null, head.key_id)
  if (!isHeadGenuine(keys, head)) return faults.unsignedHead(head)
  return head.seq === row.seq && isSame(head.mac, row.mac) ? undefined : faults.headMismatch(head, row.audit_id)
}

/**
 * Distinguishes an altered row from a moved one: whether a following row has the content that was chained here, under
 * its own id or this row's.
 */
function alteredOrMoved(
  { seq, audit_id, id }: ChainedRow,
  others: readonly ChainedRow[],
  matches: (texts: CoveredRow) => boolean
): AuditFault {
  const now = others.find(other => other.id !== null && (matches(other) || matches({ ...other, id })))
  return now === undefined ? faults.altered(seq, audit_id) : faults.reordered(seq, audit_id, now)
}
