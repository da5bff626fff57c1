import { sql } from 'kysely'
import { createBatcher } from '../../kernel/batcher.js'
import type { Limited, RateLimitStatus } from '../../kernel/rate-limit-status.js'
import type { PerMinute, Take } from '../rate-limits.js'
import { explainFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'

/**
 * Counts calls, on all replicas together, without a statement for each. A replica takes a lease: a part of what a
 * subject may do in its minute, in one statement for all who need one at that moment, and spends it from memory. The
 * row has the sum of all leases, which never exceeds the limit; so neither do the calls that are let through in a
 * minute of the database's clock. A minute begins with a subject's first call after the last one was over; two that
 * follow each other may be spent side by side.
 *
 * What a replica holds and does not spend, the others lack: a subject whose calls go to n replicas may be refused up to
 * (n - 1) × 0.75 % before its limit. Near the limit leases shrink; below 400 a minute each is of one call, and the
 * count exact.
 */

const WINDOW_MS = 60_000
/** Of the limit is a lease; the next is fetched when half of it is spent. */
const SLICES = 200
/** While the database is away, a replica lets a slice through in so long a time, by itself. */
const ALONE_MS = 1000
/** Subjects of one statement, at most. */
const BATCH_MAX = 500
/** Subjects that are remembered, at most: about 20 MB. A forgotten one's lease is lost. */
const REMEMBERED_MAX = 50_000

interface Lease {
  key: string
  of: Limited
  workspace: string
  subject: string
  left: number
  /** Of the minute, by all replicas, as far as is known. */
  taken: number
  /** Names the minute: when it ends by the database's clock. */
  window: number
  /** When that is by ours: surely not later, and surely not sooner. */
  spend_until: number
  over_at: number
  waiting: Waiting[]
  asked: boolean
}

interface Waiting {
  count: number
  resolve: (standing: RateLimitStatus) => void
  reject: (error: unknown) => void
}

/** What the database gave to a lease, and when it was asked, by our clock. */
interface Given {
  row: Row
  sent_at: number
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

export interface RateLimits {
  take: Take
  close: () => Promise<void>
}

export function countCalls(db: Db, per_minute: PerMinute, window_ms = WINDOW_MS): RateLimits {
  const leases = new Map<string, Lease>()
  // One statement at a time: a lease that is asked for meanwhile goes with the next.
  const fetches = createBatcher<Lease, Given>({ flush: fetch, weight_max: BATCH_MAX, group_in_flight_max: 1 })
  const sizes = Object.fromEntries(
    Object.entries(per_minute).map(([of, limit]) => [of, Math.max(1, Math.floor(limit / SLICES))])
  ) as Record<Limited, number>

  function take(
    of: Limited,
    workspace: string,
    subject: string,
    count: number
  ): RateLimitStatus | Promise<RateLimitStatus> {
    const key = `${of}\n${workspace}\n${subject}`
    const lease =
      leases.get(key) ??
      add({
        key,
        of,
        workspace,
        subject,
        left: 0,
        taken: 0,
        window: 0,
        spend_until: 0,
        over_at: 0,
        waiting: [],
        asked: false
      })
    const now = performance.now()
    if (now >= lease.over_at) Object.assign(lease, { left: 0, taken: 0 })
    if (lease.left >= count && now < lease.spend_until && lease.waiting.length === 0) {
      lease.left -= count
      if (lease.left < sizes[of] / 2 && sizes[of] > 1 && !isSpent(lease)) ask(lease)
      return standing(lease, now, true)
    }
    if (isSpent(lease)) return standing(lease, now, false)
    return new Promise((resolve, reject) => {
      lease.waiting.push({ count, resolve, reject })
      ask(lease)
    })
  }

  function add(lease: Lease): Lease {
    if (leases.size >= REMEMBERED_MAX) {
      for (const [oldest, { asked }] of leases) {
        if (asked) continue
        leases.delete(oldest)
        break
      }
    }
    leases.set(lease.key, lease)
    return lease
  }

  function isSpent({ of, taken }: Lease): boolean {
    return taken >= per_minute[of]
  }

  function standing({ of, left, taken, over_at }: Lease, now: number, admitted: boolean): RateLimitStatus {
    const limit = per_minute[of]
    return {
      of,
      limit,
      remaining: admitted ? Math.max(0, limit - taken) + left : 0,
      reset_s: Math.max(1, Math.ceil((over_at - now) / 1000)),
      admitted
    }
  }

  function ask(lease: Lease): void {
    if (lease.asked) return
    lease.asked = true
    fetches.add(lease).then(
      given => {
        receive(lease, given)
      },
      (error: unknown) => {
        fail(lease, error)
      }
    )
  }

  function receive(lease: Lease, { row, sent_at }: Given): void {
    lease.left = row.window === lease.window ? lease.left + row.given : row.given
    lease.window = row.window
    lease.taken = row.taken
    lease.spend_until = sent_at + row.left_ms
    lease.over_at = performance.now() + row.left_ms
    lease.asked = false
    serve(lease)
  }

  async function fetch(batch: Lease[]): Promise<Given[]> {
    const sent_at = performance.now()
    const wanted = batch.map(({ of, workspace, subject, waiting, taken }) => {
      const near = Math.ceil((per_minute[of] - taken) / 4)
      const wanted = waiting.reduce((sum, { count }) => sum + count, 0)
      return {
        kind: of,
        workspace,
        subject,
        most: Math.min(per_minute[of], Math.max(wanted, Math.min(sizes[of], near), 1))
      }
    })
    // Of several workspaces, and of none, in one statement. Rows are locked in one order everywhere, so that two
    // replicas cannot wait for each other crosswise. The clock is read once, when the row is locked.
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
             (select greatest(0, least(excluded.taken, (${JSON.stringify(per_minute)}::jsonb ->> r.kind)::bigint - r.taken)) as more) rest)
      returning workspace, kind, subject, taken, given,
        (extract(epoch from ends_at) * 1000000)::bigint as window, greatest(0, extract(epoch from ends_at - clock_timestamp()) * 1000) as left_ms`.execute(
      db
    )
    const answered = new Map(rows.map(row => [`${row.kind}\n${row.workspace}\n${row.subject}`, row]))
    return batch.map(lease => ({ row: answered.get(lease.key) as Row, sent_at }))
  }

  function serve(lease: Lease): void {
    const now = performance.now()
    while (lease.waiting.length > 0) {
      const { count, resolve } = lease.waiting[0] as Waiting
      const admitted = lease.left >= count
      // What is left of a minute that ends this very moment is spent all the same: it was given for it.
      if (!admitted && !isSpent(lease)) {
        ask(lease)
        return
      }
      if (admitted) lease.left -= count
      lease.waiting.shift()
      resolve(standing(lease, now, admitted))
    }
  }

  /**
   * Where the database is away, nothing that needs it goes on; a replica counts by itself then, so that what does not
   * need it is bounded too.
   */
  function fail(lease: Lease, error: unknown): void {
    lease.asked = false
    if (explainFault(error)?.code === 'DATABASE_UNAVAILABLE') {
      const now = performance.now()
      Object.assign(lease, {
        left: sizes[lease.of],
        taken: per_minute[lease.of],
        window: 0,
        spend_until: now + ALONE_MS,
        over_at: now + ALONE_MS
      })
      serve(lease)
      return
    }
    for (const { reject } of lease.waiting.splice(0)) reject(error)
  }

  const timer = setInterval(() => {
    const now = performance.now()
    for (const [key, { over_at, asked }] of leases) if (over_at < now && !asked) leases.delete(key)
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
