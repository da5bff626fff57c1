import { sql } from 'kysely'
import { type AuditKeys, rowMac, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { withWorkLock } from '../../postgres/work-lock.js'
import { drainedTo, signHeads, tailsOf } from './heads.js'
import { coveredColumns, type CoveredRow, isChained, textsOf } from './rows.js'
import { isDue, lastId, afterScan, mergeGaps, type IdGap, activeWriters } from './id-gaps.js'

/** Most rows of one round. */
const BATCH = 2000
/** The drainer signs a head after this many rows, or after this time if there are any new rows. */
const HEAD_ROWS = 5000
const HEAD_MS = 10_000

export interface RoundResult {
  /** How many rows this round appended to their chains. */
  chained: number
  /** Whether more rows wait already. */
  more: boolean
  /** The heads that this round signed and committed. */
  heads: SignedHead[]
}

export interface Drain {
  /** Whether a round may find work. Costs at most one small query, without a transaction. */
  hasWork: () => Promise<boolean>
  /** Runs one round in one transaction; does nothing while another replica runs one. */
  round: (how?: { head_ms?: number; batch?: number }) => Promise<RoundResult>
}

/** What a replica remembers between rounds, to scan few rows. A replica without it finds the same rows, more slowly. */
interface DrainState {
  /** The highest audit row id that this replica has scanned. */
  scanned_to: number
  /** Ranges of ids below `scanned_to` in which a row may still be committed, in order. */
  gaps: IdGap[]
  /** The value of `drained_to` in the newest head. */
  drained_to: number
  /** Rows chained since the newest head, by any replica. */
  unsigned: number
  /** When those rows should get a head, by this process's monotonic clock in milliseconds. */
  head_due_at: number
}

type ScannedRow = CoveredRow & { chained: boolean }

/**
 * Appends the committed audit rows of all workspaces to their workspace's chain, in the order in which it finds them. A
 * row that commits late comes later in the chain, and no row is skipped (id-gaps.ts).
 */
export function createDrain(db: Db, keys: AuditKeys): Drain {
  let state: DrainState = { scanned_to: 0, gaps: [], drained_to: 0, unsigned: 0, head_due_at: 0 }

  async function runRound(tx: Db, head_ms: number, batch: number): Promise<{ next: DrainState; drained: RoundResult }> {
    const newest_head = await drainedTo(tx)
    let { scanned_to, gaps, drained_to, unsigned } = state
    if (newest_head.to !== drained_to) {
      // A replica has signed a new head, so everything up to it is chained. A head that lies before the last known one
      // means that the database was restored from a backup.
      if (newest_head.to < drained_to || newest_head.to > scanned_to) scanned_to = newest_head.to
      gaps = newest_head.to < drained_to ? [] : gaps.filter(({ up_to }) => up_to > newest_head.to)
      drained_to = newest_head.to
      unsigned = 0
    }

    // The order matters, since each statement has its own snapshot: first the active writers, then the last id, then
    // the rows.
    const writers = gaps.length > 0 ? await activeWriters(tx) : new Set<string>()
    const last_id = await lastId(tx)
    const rows: ScannedRow[] = []
    const open_gaps: IdGap[] = []
    for (const gap of gaps) {
      if (!isDue(gap, writers) || rows.length >= batch) {
        open_gaps.push(gap)
        continue
      }
      const late_rows = await lateRows(tx, gap, batch)
      rows.push(...late_rows)
      const remaining = late_rows.length === batch ? { ...gap, writers: undefined } : afterScan(gap, writers)
      if (remaining !== undefined) open_gaps.push(remaining)
    }

    const new_rows = await newRows(tx, scanned_to, last_id, batch)
    if (last_id === 0 && new_rows.length > 0)
      throw new Error('The sequence of audit_log cannot be read: the service needs SELECT on it.')
    rows.push(...new_rows)
    const isFull = new_rows.length === batch
    // Rows with ids beyond the sequence were inserted with explicit ids. Do not scan past the sequence because of them.
    const next_scanned_to = Math.max(scanned_to, isFull ? Math.min(last_id, Number(new_rows.at(-1)?.id)) : last_id)
    const isComplete =
      new_rows.filter(({ id }) => Number(id) <= next_scanned_to).length === next_scanned_to - scanned_to
    if (!isComplete) open_gaps.push({ after: scanned_to, up_to: next_scanned_to, writers: undefined })
    gaps = mergeGaps(open_gaps)
    scanned_to = next_scanned_to

    const unchained = rows.filter(({ chained }) => !chained)
    await appendToChain(tx, keys, unchained)
    unsigned += rows.length
    const isHeadDue = unsigned > 0 && (unsigned >= HEAD_ROWS || newest_head.age_ms >= head_ms)
    const heads = isHeadDue ? await signHeads(tx, keys, drained_to, gaps[0]?.after ?? scanned_to) : []
    if (isHeadDue) unsigned = 0
    return {
      next: {
        scanned_to,
        gaps,
        drained_to: heads[0]?.drained_to ?? drained_to,
        unsigned,
        head_due_at: performance.now() + head_ms - newest_head.age_ms
      },
      drained: { chained: unchained.length, more: unchained.length > 0 && (isFull || rows.length > batch), heads }
    }
  }

  return {
    async hasWork() {
      return (
        state.gaps.length > 0 ||
        (state.unsigned > 0 && performance.now() >= state.head_due_at) ||
        (await lastId(db)) > state.scanned_to
      )
    },
    async round({ head_ms = HEAD_MS, batch = BATCH } = {}) {
      const result = await withWorkLock(db, 'audit chain', tx => runRound(tx, head_ms, batch))
      if (result === undefined) return { chained: 0, more: false, heads: [] }
      state = result.next
      return result.drained
    }
  }
}

/** Unchained rows that have appeared in a gap, ordered by id. */
async function lateRows(db: Db, { after, up_to }: IdGap, limit: number): Promise<ScannedRow[]> {
  const { rows } = await sql<ScannedRow>`
    select ${coveredColumns('a')}, false as chained from audit_log a
    where a.id > ${after} and a.id <= ${up_to} and not ${isChained('a')} order by a.id limit ${limit}`.execute(db)
  return rows
}

/**
 * All rows beyond `scanned_to`, including those that other replicas have chained: their number shows whether ids are
 * missing.
 */
async function newRows(db: Db, scanned_to: number, last_id: number, limit: number): Promise<ScannedRow[]> {
  const { rows } = await sql<ScannedRow>`
    select ${coveredColumns('a')}, ${isChained('a')} as chained from audit_log a
    where a.id > ${scanned_to} and (a.id <= ${last_id} or not ${isChained('a')}) order by a.id
      limit ${limit}`.execute(db)
  return rows
}

async function appendToChain(db: Db, keys: AuditKeys, rows: readonly CoveredRow[]): Promise<void> {
  if (rows.length === 0) return
  const by_workspace = new Map<string, CoveredRow[]>()
  for (const row of rows) {
    const workspace = row.workspace as string
    by_workspace.set(workspace, by_workspace.get(workspace) ?? [])
    by_workspace.get(workspace)?.push(row)
  }
  const workspaces: string[] = []
  const seqs: number[] = []
  const ids: string[] = []
  const macs: Buffer[] = []
  for (const { workspace, ...tail } of await tailsOf(db, [...by_workspace.keys()])) {
    let { seq, mac } = tail
    for (const row of by_workspace.get(workspace) ?? []) {
      seq += 1
      mac = rowMac(keys.first, workspace, seq, mac, textsOf(row))
      workspaces.push(workspace)
      seqs.push(seq)
      ids.push(row.id as string)
      macs.push(mac)
    }
  }
  await sql`
    insert into audit_chain (workspace, seq, audit_id, key_id, mac)
    select workspace, seq, audit_id, ${keys.first.id}, substr(${Buffer.concat(macs)}::bytea, (n::int - 1) * 32 + 1, 32)
    from unnest(${workspaces}::text[], ${seqs}::bigint[], ${ids}::bigint[]) with ordinality as t (workspace, seq,
      audit_id, n)`.execute(db)
}
