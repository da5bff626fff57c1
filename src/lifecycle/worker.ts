import type { AuditKeys } from '../audit/chain/keys.js'
import type { Topic } from '../kernel/events.js'
import { type Background, inBackground } from '../postgres/background.js'
import type { Db } from '../postgres/schema.js'
import { applyAuditRetention } from './store/audit-retention.js'
import { sweepDeletedSessions } from './store/deleted-sessions.js'
import { eraseAgents } from './store/erased-agents.js'
import { applyRetention } from './store/retention.js'

/** Interval of the checks for deleted sessions and agents to erase, which cost two small queries. */
const POLL_MS = 2000
/** Interval of the checks for expired data, which is not urgent. */
const RETENTION_MS = 30 * 60_000

export interface LifecycleOptions {
  /** Access to all workspaces. */
  db: Db
  /** How many days workspaces without their own setting keep data; 0: for ever. */
  retention_days: number
  /** The same for audit rows; undefined: there is no chain, so all audit rows stay. */
  audit: { keys: AuditKeys; days: number } | undefined
  publish: (topics: readonly Topic[]) => void
  onFault: (error: unknown) => void
  /**
   * Milliseconds until the first check for expired data. Random by default, so that replicas which start together do
   * not check together.
   */
  first_ms?: number
}

/**
 * Deletes, erases and expires data in the background. Every replica runs one; they take turns.
 */
export function endContinuously({
  db,
  retention_days,
  audit,
  publish,
  onFault,
  first_ms = Math.random() * 60_000
}: LifecycleOptions): Background {
  let retention_at = performance.now() + first_ms

  return inBackground(
    async stopping => {
      await sweepDeletedSessions(db, publish, stopping)
      await eraseAgents(db, publish, stopping)
      if (performance.now() >= retention_at) {
        retention_at = performance.now() + RETENTION_MS
        await applyRetention({ db, publish, stopping }, retention_days)
        if (audit !== undefined) await applyAuditRetention({ db, stopping }, audit.keys, audit.days)
      }
      return POLL_MS
    },
    onFault,
    POLL_MS
  )
}
