import { sql } from 'kysely'
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
import { beginningOf } from './heads.js'
import { coveredColumns, type CoveredRow, isChained, textsOf } from './rows.js'

/** Rows of one query. */
const PAGE = 2000
/** Unchained rows are counted up to this number. */
const UNCHAINED_COUNT_MAX = 100_000

/** The first difference between the audit log and its chain. */
export interface AuditFault {
  kind: 'altered' | 'missing' | 'reordered' | 'forged' | 'head' | 'beginning' | 'key'
  /** The position in the chain; null for a row that is not chained. */
  seq: number | null
  audit_id: number | null
  /** One sentence for the operator; it contains no text from the log. */
  explanation: string
}

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
  const beginning = await beginningOf(db, workspace)
  const found = await verifyFrom(db, keys, workspace, beginning, limits)
  if (found.fault === null) return found
  // Retention may have moved the beginning past the rows that seem to be missing.
  const current = await beginningOf(db, workspace)
  if (current === undefined || current.seq === (beginning?.seq ?? 0) || (found.fault.seq ?? 0) > current.seq)
    return found
  return verifyFrom(db, keys, workspace, current, limits)
}

interface ChainedRow extends CoveredRow {
  seq: number
  audit_id: number
  key_id: string
  mac: Buffer
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
    return finish(
      keys.find(beginning.key_id) === undefined
        ? unknownKey(beginning.seq, null, beginning.key_id)
        : {
            kind: 'beginning',
            seq: beginning.seq,
            audit_id: null,
            explanation:
              `The beginning of the chain at seq ${beginning.seq} has no valid signature: ` +
              'rows before it were removed by somebody without the key.'
          }
    )
  }
  let previous_mac =
    to.seq === 0 ? NO_MAC : to.seq === beginning?.seq ? beginning.mac : await macAt(db, workspace, to.seq)
  if (previous_mac === undefined) return finish(missing(to.seq, null))

  for (;;) {
    const page = await pageAfter(db, workspace, to.seq)
    const heads = await headsAfter(db, workspace, to.seq, page.at(-1)?.seq)
    for (const [n, row] of page.entries()) {
      // If the row of a head is missing, report the row and not the head.
      if (row.seq !== to.seq + 1) return finish(missing(to.seq + 1, null))
      if (row.id === null) return finish(missing(row.seq, row.audit_id))
      const key = keys.find(row.key_id)
      if (key === undefined) return finish(unknownKey(row.seq, row.audit_id, row.key_id))
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
        return finish(isHeadGenuine(keys, later_head) ? truncatedTail(to.seq, later_head) : invalidHead(later_head))
      }
    }

    const isEnd = page.length < PAGE
    const drained_to = newest !== undefined && isHeadGenuine(keys, newest) ? newest.drained_to : 0
    // Every row up to the largest id of the page must be chained, as far as the head covers it.
    const largest = page.reduce((most, { audit_id }) => Math.max(most, audit_id), to.id)
    const search_to = isEnd ? drained_to : Math.min(largest, drained_to)
    const forged = await firstUnchained(db, workspace, to.id, search_to)
    if (forged !== undefined)
      return finish({
        kind: 'forged',
        seq: null,
        audit_id: forged,
        explanation:
          `Audit row ${forged} is not in the chain, though all rows around it were chained: ` +
          'it was inserted afterwards.'
      })
    to.id = Math.max(to.id, search_to)
    if (isEnd) return { ...result, is_done: true, not_yet_chained: await countUnchained(db, workspace, drained_to) }
    if (result.rows >= rows_max || performance.now() >= deadline) return result
  }
}

async function pageAfter(db: Db, workspace: string, seq: number): Promise<ChainedRow[]> {
  const { rows } = await sql<ChainedRow>`
    select c.seq, c.audit_id, c.key_id, c.mac, ${coveredColumns('a')}
    from (select * from audit_chain where workspace = ${workspace} and seq > ${seq} order by seq limit ${PAGE}) c
    left join lateral (select * from audit_log where id = c.audit_id limit 1) a on true
    order by c.seq`.execute(db)
  return rows
}

async function macAt(db: Db, workspace: string, seq: number): Promise<Buffer | undefined> {
  return (
    await db
      .selectFrom('audit_chain')
      .where('workspace', '=', workspace)
      .where('seq', '=', seq)
      .select('mac')
      .executeTakeFirst()
  )?.mac
}

async function newestHead(db: Db, workspace: string): Promise<SignedHead | undefined> {
  return db
    .selectFrom('audit_heads')
    .where('workspace', '=', workspace)
    .orderBy('seq', 'desc')
    .limit(1)
    .selectAll()
    .executeTakeFirst()
}

/** @param up_to undefined: only the first head after `seq` */
async function headsAfter(db: Db, workspace: string, seq: number, up_to: number | undefined): Promise<SignedHead[]> {
  const query = db
    .selectFrom('audit_heads')
    .where('workspace', '=', workspace)
    .where('seq', '>', seq)
    .orderBy('seq')
    .selectAll()
  return (up_to === undefined ? query.limit(1) : query.where('seq', '<=', up_to)).execute()
}

async function firstUnchained(db: Db, workspace: string, after: number, up_to: number): Promise<number | undefined> {
  if (up_to <= after) return undefined
  const {
    rows: [row]
  } = await sql<{ id: number }>`
    select a.id from audit_log a where a.id > ${after} and a.id <= ${up_to} and a.workspace = ${workspace}
      and not ${isChained('a')} order by a.id limit 1`.execute(db)
  return row?.id
}

async function countUnchained(db: Db, workspace: string, after: number): Promise<number> {
  const {
    rows: [row]
  } = await sql<{ count: number }>`
    select count(*) as count from (
      select from audit_log a where a.id > ${after} and a.workspace = ${workspace} and not ${isChained('a')}
        limit ${UNCHAINED_COUNT_MAX}) waiting`.execute(db)
  return row?.count ?? 0
}

function missing(seq: number, audit_id: number | null): AuditFault {
  return {
    kind: 'missing',
    seq,
    audit_id,
    explanation:
      audit_id === null
        ? `The chain has no row at seq ${seq}, though it continues after it.`
        : `Audit row ${audit_id} is missing, though it was chained at seq ${seq}.`
  }
}

function truncatedTail(last: number, head: SignedHead): AuditFault {
  return {
    kind: 'missing',
    seq: last + 1,
    audit_id: null,
    explanation:
      `The chain ends at seq ${last}, though a head was signed for seq ${head.seq} at ${head.signed_at}: ` +
      `rows from seq ${last + 1} on were removed.`
  }
}

function unknownKey(seq: number, audit_id: number | null, key_id: string): AuditFault {
  return {
    kind: 'key',
    seq,
    audit_id,
    explanation:
      `Seq ${seq} was signed with a key that is not in AUDIT_HMAC_KEY` +
      `${/^[0-9a-f]{8}$/.test(key_id) ? ` (key id ${key_id})` : ''}: add that key at the end of the list.`
  }
}

function invalidHead(head: SignedHead): AuditFault {
  return {
    kind: 'head',
    seq: head.seq,
    audit_id: null,
    explanation: `The head at seq ${head.seq} has no valid signature.`
  }
}

function headFault(keys: AuditKeys, head: SignedHead, row: ChainedRow): AuditFault | undefined {
  if (keys.find(head.key_id) === undefined) return unknownKey(head.seq, null, head.key_id)
  if (!isHeadGenuine(keys, head)) return invalidHead(head)
  if (head.seq === row.seq && isSame(head.mac, row.mac)) return undefined
  return {
    kind: 'head',
    seq: head.seq,
    audit_id: row.audit_id,
    explanation:
      `The head signed at ${head.signed_at} does not match the chain at seq ${head.seq}: ` +
      'rows up to there were replaced.'
  }
}

/**
 * Distinguishes an altered row from a moved one: whether a following row has the content that was chained here, under
 * its own id or this row's.
 */
function alteredOrMoved(
  row: ChainedRow,
  others: readonly ChainedRow[],
  matches: (texts: CoveredRow) => boolean
): AuditFault {
  const { seq, audit_id } = row
  const from = others.find(other => other.id !== null && (matches(other) || matches({ ...other, id: row.id })))
  return from === undefined
    ? {
        kind: 'altered',
        seq,
        audit_id,
        explanation: `Audit row ${audit_id} differs from what was chained at seq ${seq}.`
      }
    : {
        kind: 'reordered',
        seq,
        audit_id,
        explanation:
          `What was chained at seq ${seq}, as audit row ${audit_id}, is now at seq ${from.seq}, ` +
          `as audit row ${from.audit_id}.`
      }
}
