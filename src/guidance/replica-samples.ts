import { randomUUID } from 'node:crypto'
import type { About } from '../kernel/about.js'
import type { Calls, Metrics } from '../kernel/metrics.js'
import { type Background, inBackground } from '../postgres/background.js'
import type { PoolState } from '../postgres/connect.js'
import type { Db } from '../postgres/schema.js'
import { databaseBytes } from './store/figures.js'
import { type ReplicaFigures, writeFigures } from './store/replica-figures.js'

/** How often a replica writes its figures. */
export const EVERY_MS = 30_000
/** How old they may be when somebody asks this replica. */
const FRESH_MS = 5000

export interface Sampled {
  /** Not the pool: that it is used up is one of the figures. */
  db: Db
  about: About
  metrics: Metrics
  pool: () => PoolState
  hints: () => ReplicaFigures['event_hints']
  searchWaiting: () => Promise<number>
  onFault: (error: unknown) => void
}

export interface Samples extends Background {
  /** Writes the figures now, unless they are fresh. */
  refresh: () => Promise<void>
}

/** Writes the figures of this replica regularly, and once more when it stops, so that all replicas can show them. */
export function sampleRegularly({ db, about, metrics, pool, hints, searchWaiting, onFault }: Sampled): Samples {
  const replica = `${about.replica} ${randomUUID()}`
  let before = new Map<string, Calls>()
  let at = about.started_at.getTime()
  let last: Promise<void> = Promise.resolve()

  async function take(stopped: boolean): Promise<void> {
    const [calls, search_waiting, database_bytes] = await Promise.all([
      metrics.calls(),
      searchWaiting(),
      databaseBytes(db)
    ])
    const now = Date.now()
    const { total, idle, waiting, max } = pool()
    await writeFigures(db, replica, {
      name: about.replica,
      version: about.version,
      started_at: about.started_at.toISOString(),
      stopped,
      seconds: Math.max(0.001, (now - at) / 1000),
      calls: since(before, calls),
      connections: { in_use: total - idle, waiting, max },
      event_hints: hints(),
      resident_bytes: process.memoryUsage.rss(),
      search_waiting,
      database_bytes
    })
    before = calls
    at = now
  }

  /** One after the other: each is of the time since the one before. */
  const sample = (stopped = false) => (last = last.catch(() => {}).then(() => take(stopped)))

  const running = inBackground(async () => {
    await sample()
    return EVERY_MS
  }, onFault)
  return {
    async refresh() {
      if (Date.now() - at > FRESH_MS) await sample().catch(onFault)
    },
    async close() {
      await running.close()
      // If the database is away, the others see that nothing comes any more.
      await sample(true).catch(() => {})
    }
  }
}

function since(before: ReadonlyMap<string, Calls>, calls: ReadonlyMap<string, Calls>): Record<string, Calls> {
  const grown: Record<string, Calls> = {}
  for (const [tool, { success, error, within }] of calls) {
    const was = before.get(tool) ?? { success: 0, error: 0, within: [] }
    if (success + error === was.success + was.error) continue
    grown[tool] = {
      success: success - was.success,
      error: error - was.error,
      within: within.map((count, i) => count - (was.within[i] ?? 0))
    }
  }
  return grown
}
