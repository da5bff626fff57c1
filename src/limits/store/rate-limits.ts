import { sql } from 'kysely'
import { createBatcher } from '../../kernel/batcher.js'
import type { Limited, RateLimitStatus } from '../../kernel/rate-limit-status.js'
import type { PerMinute, Take } from '../rate-limits.js'
import { explainFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'

/*
 * Counts calls on all replicas together, without a statement for each call. A replica takes a share: a part of what a
 * subject may do in its minute. It spends the share from memory. One statement fetches the shares that are needed at
 * one moment.
 *
 * The subject's row holds the sum of all its shares, which never exceeds the limit. So the limit holds in each minute
 * of the database's clock. A subject's minute begins with its first call after the last minute. Shares of two
 * successive minutes may be spent at the same time.
 *
 * Other replicas lack what a replica holds and does not spend. If a subject's calls go to n replicas, it may be refused
 * up to (n - 1) × 0.75 % before its limit. Shares shrink near the limit. Below 400 calls a minute each share is one
 * call, and the count is exact.
 */

const WINDOW_MS = 60_000
/** A share is this part of the limit. A replica fetches the next one when half of the share is spent. */
const SLICES = 200
/** Without the database, a replica lets one share of each subject through in this time. */
const ALONE_MS = 1000
/** Most subjects of one statement. */
const BATCH_MAX = 500
/** Most subjects that a replica remembers, in about 20 MB. It loses the share of a subject that it forgets. */
const REMEMBERED_MAX = 50_000

interface Share {
  key: string
  of: Limited
  workspace: string
  subject: string
  /** Calls of the share that are left. */
  left: number
  /** Calls of the minute that all replicas have taken, as far as this one knows. */
  taken: number
  /** The end of the minute by the database's clock, which names the minute. */
  window: number
  /** The same by our clock: certainly not later than `over_at`, certainly not before `spend_until`. */
  spend_until: number
  over_at: number
  waiting: Waiting[]
  /** Whether a statement is under way for it. */
  asked: boolean
}

const NOTHING = { left: 0, taken: 0, window: 0, spend_until: 0, over_at: 0, asked: false }

interface Waiting {
  count: number
  resolve: (status: RateLimitStatus) => void
  reject: (error: unknown) => void
}

interface Row {
  workspace: string
  kind: Limited
  subject: string
  taken: number
  given: number
  window: number
  left_ms: number
}

/** What the database gave to a share, and when it was asked, by our clock. */
interface Given {
  row: Row
  sent_at: number
}

export interface RateLimits {
  take: Take
  close: () => Promise<void>
}

export function countCalls(db: Db, per_minute: PerMinute, window_ms = WINDOW_MS): RateLimits {
  const shares = new Map<string, Share>()
  // One statement at a time. The next one fetches the shares that are asked for meanwhile.
  const fetches = createBatcher<Share, Given>({ flush: fetch, weight_max: BATCH_MAX, group_in_flight_max: 1 })
  const sizes = Object.fromEntries(
    Object.entries(per_minute).map(([of, limit]) => [of, Math.max(1, Math.floor(limit / SLICES))])
  ) as Record<Limited, number>

  const take: Take = (of, workspace, subject, count) => {
    const key = `${of}\n${workspace}\n${subject}`
    const share = shares.get(key) ?? add({ key, of, workspace, subject, ...NOTHING, waiting: [] })
    const now = performance.now()
    if (now >= share.over_at) Object.assign(share, { left: 0, taken: 0 })
    if (share.left >= count && now < share.spend_until && share.waiting.length === 0) {
      share.left -= count
      if (share.left < sizes[of] / 2 && sizes[of] > 1 && !isSpent(share)) ask(share)
      return statusOf(share, now, true)
    }
    if (isSpent(share)) return statusOf(share, now, false)
    return new Promise((resolve, reject) => {
      share.waiting.push({ count, resolve, reject })
      ask(share)
    })
  }

  function add(share: Share): Share {
    if (shares.size >= REMEMBERED_MAX) {
      for (const [oldest, { asked }] of shares) {
        if (asked) continue
        shares.delete(oldest)
        break
      }
    }
    shares.set(share.key, share)
    return share
  }

  function isSpent({ of, taken }: Share): boolean {
    return taken >= per_minute[of]
  }

  function statusOf({ of, left, taken, over_at }: Share, now: number, admitted: boolean): RateLimitStatus {
    const limit = per_minute[of]
    return {
      of,
      limit,
      remaining: admitted ? Math.max(0, limit - taken) + left : 0,
      reset_s: Math.max(1, Math.ceil((over_at - now) / 1000)),
      admitted
    }
  }

  function ask(share: Share): void {
    if (share.asked) return
    share.asked = true
    fetches.add(share).then(
      given => {
        receive(share, given)
      },
      (error: unknown) => {
        fail(share, error)
      }
    )
  }

  function receive(share: Share, { row, sent_at }: Given): void {
    share.left = row.window === share.window ? share.left + row.given : row.given
    share.window = row.window
    share.taken = row.taken
    share.spend_until = sent_at + row.left_ms
    share.over_at = performance.now() + row.left_ms
    share.asked = false
    serve(share)
  }

  async function fetch(batch: Share[]): Promise<Given[]> {
    const sent_at = performance.now()
    const wanted = batch.map(({ of: kind, workspace, subject, waiting, taken }) => {
      const near = Math.ceil((per_minute[kind] - taken) / 4)
      const called = waiting.reduce((sum, { count }) => sum + count, 0)
      const most = Math.min(per_minute[kind], Math.max(called, Math.min(sizes[kind], near), 1))
      return { kind, workspace, subject, most }
    })
    // Every replica locks the rows in the same order, so that two replicas never wait for each other crosswise. The
    // statement reads the clock once, when the row is locked.
    const { rows } = await sql<Row>`
      insert into rate_limits as r (workspace, kind, subject, ends_at, taken, given)
      select workspace, kind, subject, clock_timestamp() + make_interval(secs => ${window_ms / 1000}), most, most
      from json_to_recordset(${JSON.stringify(wanted)}) as q (workspace text, kind text, subject text, most bigint)
      order by workspace collate "C", kind collate "C", subject collate "C"
      on conflict (workspace, kind, subject) do update set (ends_at, taken, given) = (
        select case when ended then excluded.ends_at else r.ends_at end,
               case when ended then excluded.taken else r.taken + more end,
               case when ended then excluded.taken else more end
        from (select r.ends_at <= clock_timestamp() as ended) clock,
             (select greatest(0, least(excluded.taken,
               (${JSON.stringify(per_minute)}::jsonb ->> r.kind)::bigint - r.taken)) as more) rest)
      returning workspace, kind, subject, taken, given,
        (extract(epoch from ends_at) * 1000000)::bigint as window, greatest(0, extract(epoch
          from ends_at - clock_timestamp()) * 1000) as left_ms`.execute(db)
    const answered = new Map(rows.map(row => [`${row.kind}\n${row.workspace}\n${row.subject}`, row]))
    return batch.map(share => ({ row: answered.get(share.key) as Row, sent_at }))
  }

  function serve(share: Share): void {
    const now = performance.now()
    while (share.waiting.length > 0) {
      const { count, resolve } = share.waiting[0] as Waiting
      const admitted = share.left >= count
      // A share of a minute that ends at this moment is spent all the same: it was given for it.
      if (!admitted && !isSpent(share)) {
        ask(share)
        return
      }
      if (admitted) share.left -= count
      share.waiting.shift()
      resolve(statusOf(share, now, admitted))
    }
  }

  /** Without the database a replica counts by itself, so that calls which do not need the database are bounded too. */
  function fail(share: Share, error: unknown): void {
    share.asked = false
    if (explainFault(error)?.code === 'DATABASE_UNAVAILABLE') {
      const now = performance.now()
      Object.assign(share, {
        left: sizes[share.of],
        taken: per_minute[share.of],
        window: 0,
        spend_until: now + ALONE_MS,
        over_at: now + ALONE_MS
      })
      serve(share)
      return
    }
    for (const { reject } of share.waiting.splice(0)) reject(error)
  }

  const timer = setInterval(() => {
    const now = performance.now()
    for (const [key, { over_at, asked }] of shares) if (over_at < now && !asked) shares.delete(key)
  }, window_ms)
  timer.unref()

  return {
    take,
    async close() {
      clearInterval(timer)
      await fetches.idle()
    }
  }
}
