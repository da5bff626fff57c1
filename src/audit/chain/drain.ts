import { sql } from 'kysely'
import { type AuditKeys, rowMac, type SignedHead } from './keys.js'
import type { Db } from '../../postgres/schema.js'
import { drainedTo, signHeads, tailsOf } from './heads.js'
import { coveredColumns, type CoveredRow, isChained, textsOf } from './rows.js'
import { isDue, lastGiven, lookedThrough, merged, type IdGap, writersNow } from './id-gaps.js'

/** One drainer in a database at a time; any fixed number that nothing else here locks. */
const LOCK = 7_261_003
/** Rows of one round. */
const BATCH = 2000
/** A head is signed after so many rows, or so long after the last one if there are any. */
const HEAD_ROWS = 5000
const HEAD_MS = 10_000

export interface Drained {
  /** Rows that have their place now. */
  chained: number
  /** Whether there are more already. */
  more: boolean
  /** Signed, and committed. */
  heads: SignedHead[]
}

export interface Drain {
  /** Whether a round may have something to do: one small question, without a transaction. */
  isWanted: () => Promise<boolean>
  /** One round in one transaction; nothing where another replica is at it. */
  round: (how?: { head_ms?: number; batch?: number }) => Promise<Drained>
}

/** What a replica remembers between rounds: to look at little. Another knows less and finds the same. */
interface Memory {
  /** Ids up to here have been looked through. */
  top: number
  /** Where a row may still appear below it, in order. */
  stretches: IdGap[]
  /** What the newest head said. */
  drained_to: number
  /** Rows chained since then, by anybody. */
  unsigned: number
  /** When, by this process's clock, they should have a head. */
  head_due_at: number
}

type Found = CoveredRow & { chained: boolean }

/**
 * Gives committed audit rows of all workspaces their places in their workspace's chain. Rows are chained in the order
 * in which they are found, so that one which commits late comes later, and none is passed over (stretches.ts).
 */
export function createDrain(db: Db, keys: AuditKeys): Drain {
  let memory: Memory = { top: 0, stretches: [], drained_to: 0, unsigned: 0, head_due_at: 0 }

  async function work(tx: Db, head_ms: number, batch: number): Promise<{ next: Memory; drained: Drained }> {
    const newest = await drainedTo(tx)
    let { top, stretches, drained_to, unsigned } = memory
    if (newest.to !== drained_to) {
      // Somebody has signed: what that head covers is done with. One that lies before ours is of a database that was
      // set back.
      if (newest.to < drained_to || newest.to > top) top = newest.to
      stretches = newest.to < drained_to ? [] : stretches.filter(({ up_to }) => up_to > newest.to)
      drained_to = newest.to
      unsigned = 0
    }

    // Each of these is a statement with a snapshot of its own: first who writes, then how far ids went, then the rows.
    const writers = stretches.length > 0 ? await writersNow(tx) : new Set<string>()
    const given = await lastGiven(tx)
    const rows: Found[] = []
    const left: IdGap[] = []
    for (const stretch of stretches) {
      if (!isDue(stretch, writers) || rows.length >= batch) {
        left.push(stretch)
        continue
      }
      const late = await lateRows(tx, stretch, batch)
      rows.push(...late)
      const rest = late.length === batch ? { ...stretch, writers: undefined } : lookedThrough(stretch, writers)
      if (rest !== undefined) left.push(rest)
    }

    const fresh = await freshRows(tx, top, given, batch)
    if (given === 0 && fresh.length > 0)
      throw new Error('The sequence of audit_log cannot be read: the service needs SELECT on it.')
    rows.push(...fresh)
    const isFull = fresh.length === batch
    // Ids beyond those that were given are nobody's yet: such rows were put there with ids of their own.
    const looked = Math.max(top, isFull ? Math.min(given, Number(fresh.at(-1)?.id)) : given)
    const isWhole = fresh.filter(({ id }) => Number(id) <= looked).length === looked - top
    if (!isWhole) left.push({ after: top, up_to: looked, writers: undefined })
    stretches = merged(left)
    top = looked

    const loose = rows.filter(({ chained }) => !chained)
    await chain(tx, keys, loose)
    unsigned += rows.length
    const isDone = unsigned > 0 && (unsigned >= HEAD_ROWS || newest.age_ms >= head_ms)
    const heads = isDone ? await signHeads(tx, keys, drained_to, stretches[0]?.after ?? top) : []
    if (isDone) unsigned = 0
    return {
      next: {
        top,
        stretches,
        drained_to: heads[0]?.drained_to ?? drained_to,
        unsigned,
        head_due_at: performance.now() + head_ms - newest.age_ms
      },
      drained: { chained: loose.length, more: loose.length > 0 && (isFull || rows.length > batch), heads }
    }
  }

  return {
    async isWanted() {
      return (
        memory.stretches.length > 0 ||
        (memory.unsigned > 0 && performance.now() >= memory.head_due_at) ||
        (await lastGiven(db)) > memory.top
      )
    },
    async round({ head_ms = HEAD_MS, batch = BATCH } = {}) {
      const done = await db
        .transaction()
        .setIsolationLevel('read committed')
        .execute(async tx => {
          const {
            rows: [lock]
          } = await sql<{ ours: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as ours`.execute(tx)
          return lock?.ours === true ? work(tx, head_ms, batch) : undefined
        })
      if (done === undefined) return { chained: 0, more: false, heads: [] }
      memory = done.next
      return done.drained
    }
  }
}

/** What has appeared in a stretch and is not chained, in the order of ids. */
async function lateRows(db: Db, { after, up_to }: IdGap, limit: number): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select ${coveredColumns('a')}, false as chained from audit_log a
    where a.id > ${after} and a.id <= ${up_to} and not ${isChained('a')} order by a.id limit ${limit}`.execute(db)
  return rows
}

/**
 * All that is there beyond `top`, with what others have chained meanwhile: how many there are tells whether ids are
 * missing.
 */
async function freshRows(db: Db, top: number, given: number, limit: number): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select ${coveredColumns('a')}, ${isChained('a')} as chained from audit_log a
    where a.id > ${top} and (a.id <= ${given} or not ${isChained('a')}) order by a.id limit ${limit}`.execute(db)
  return rows
}

async function chain(db: Db, keys: AuditKeys, rows: readonly CoveredRow[]): Promise<void> {
  if (rows.length === 0) return
  const of = new Map<string, CoveredRow[]>()
  for (const row of rows) {
    const workspace = row.workspace as string
    const all = of.get(workspace)
    if (all === undefined) of.set(workspace, [row])
    else all.push(row)
  }
  const workspaces: string[] = []
  const seqs: number[] = []
  const ids: string[] = []
  const macs: Buffer[] = []
  for (const { workspace, ...tail } of await tailsOf(db, [...of.keys()])) {
    let { seq, mac } = tail
    for (const row of of.get(workspace) ?? []) {
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
    from unnest(${workspaces}::text[], ${seqs}::bigint[], ${ids}::bigint[]) with ordinality as t (workspace, seq, audit_id, n)`.execute(
    db
  )
}
