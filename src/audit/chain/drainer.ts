import type { AuditKeys, SignedHead } from './keys.js'
import { type Background, inBackground } from '../../postgres/background.js'
import type { Db } from '../../postgres/schema.js'
import { createDrain } from './drain.js'

/** Pause while rows come: short enough for a small lag, long enough for a batch worth its transaction. */
const BUSY_MS = 250
/** Pause when nothing comes, longer the longer that is so. */
const IDLE_MAX_MS = 1000

export interface DrainerOptions {
  db: Db
  keys: AuditKeys
  /** Told each head once it is committed, one after the other. */
  onHead: (head: SignedHead) => Promise<void> | void
  onFault: (error: unknown) => void
}

/** Chains what is written. Every replica may run one: who finds another at it waits. Crosses workspaces. */
export function drainContinuously({ db, keys, onHead, onFault }: DrainerOptions): Background {
  const drain = createDrain(db, keys)
  let idle = BUSY_MS

  async function once(how?: { head_ms: number }): Promise<boolean> {
    const { more, heads } = await drain.round(how)
    for (const head of heads) await onHead(head)
    return more
  }

  const running = inBackground(async () => {
    if (await drain.isWanted()) {
      idle = BUSY_MS
      return (await once()) ? 0 : BUSY_MS
    }
    idle = Math.min(2 * idle, IDLE_MAX_MS)
    return idle
  }, onFault)
  return {
    /** What has been written by now gets its head, as far as one round goes. */
    async close() {
      await running.close()
      await once({ head_ms: 0 }).catch(onFault)
    }
  }
}
