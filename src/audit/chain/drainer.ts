import type { AuditKeys, SignedHead } from './keys.js'
import { type Background, inBackground } from '../../postgres/background.js'
import type { Db } from '../../postgres/schema.js'
import { createDrain } from './drain.js'

/** Pause while rows arrive: short enough for a small lag, long enough to collect a batch for each transaction. */
const BUSY_MS = 250
/** Longest pause. The pause doubles up to this while no rows arrive. */
const IDLE_MAX_MS = 1000

export interface DrainerOptions {
  db: Db
  keys: AuditKeys
  /** Called with each head after its commit, one at a time. */
  onHead: (head: SignedHead) => Promise<void> | void
  onFault: (error: unknown) => void
}

/** Chains new audit rows of all workspaces. Every replica may run a drainer; only one works at a time. */
export function drainContinuously({ db, keys, onHead, onFault }: DrainerOptions): Background {
  const drain = createDrain(db, keys)
  let idle_ms = BUSY_MS

  async function runRound(how?: { head_ms: number }): Promise<boolean> {
    const { more, heads } = await drain.round(how)
    for (const head of heads) await onHead(head)
    return more
  }

  const loop = inBackground(async () => {
    if (await drain.hasWork()) {
      idle_ms = BUSY_MS
      return (await runRound()) ? 0 : BUSY_MS
    }
    idle_ms = Math.min(2 * idle_ms, IDLE_MAX_MS)
    return idle_ms
  }, onFault)
  return {
    /** Runs a last round, which signs a head for the rows written so far. */
    async close() {
      await loop.close()
      await runRound({ head_ms: 0 }).catch(onFault)
    }
  }
}
