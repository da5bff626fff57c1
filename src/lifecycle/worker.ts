import type { AuditKeys } from '../audit/chain/keys.js'
import type { Topic } from '../kernel/events.js'
import { type Background, inBackground } from '../postgres/background.js'
import type { Db } from '../postgres/schema.js'
import { applyAuditRetention } from './store/audit-retention.js'
import { sweepDeletedSessions } from './store/deleted-sessions.js'
import { eraseAgents } from './store/erased-agents.js'
import { applyRetention } from './store/retention.js'

/** Between two looks at whether something was deleted or erased: two small questions to the database. */
const LOOK_MS = 2000
/** Between two looks for what has come of age: nobody waits for it. */
const RETENTION_MS = 30 * 60_000

export interface LifeOptions {
  /** Crosses workspaces. */
  db: Db
  /** Days that workspaces without a setting of their own keep things; 0 for ever. */
  retention_days: number
  /** The same of audit rows; undefined: there is no chain, and they all stay. */
  audit: { keys: AuditKeys; days: number } | undefined
  tell: (topics: readonly Topic[]) => void
  onFault: (error: unknown) => void
  /**
   * Until the first look for what has come of age; by chance, so that replicas which start together do not look
   * together.
   */
  first_ms?: number
}

/**
 * Carries out in the background what has been decided about the life of data. Every replica runs one: they take turns.
 */
export function endContinuously({
  db,
  retention_days,
  audit,
  tell,
  onFault,
  first_ms = Math.random() * 60_000
}: LifeOptions): Background {
  let retention_at = performance.now() + first_ms

  return inBackground(
    async stopping => {
      await sweepDeletedSessions(db, tell, stopping)
      await eraseAgents(db, tell, stopping)
      if (performance.now() >= retention_at) {
        retention_at = performance.now() + RETENTION_MS
        await applyRetention({ db, tell, stopping }, retention_days)
        if (audit !== undefined) await applyAuditRetention({ db, stopping }, audit.keys, audit.days)
      }
      return LOOK_MS
    },
    onFault,
    LOOK_MS
  )
}
