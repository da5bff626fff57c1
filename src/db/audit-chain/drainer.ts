import type { AuditKeys, SignedHead } from '../../core/audit-keys.js'
import type { Db } from '../schema.js'
import { createDrain } from './drain.js'

/** Pause while rows come: short enough for a small lag, long enough for a batch worth its transaction. */
const BUSY_MS = 250
/** Pause when nothing comes, longer the longer that is so. */
const IDLE_MAX_MS = 1000
/** Pause after a fault, such as a database that is away. */
const FAULT_MS = 2000

export interface DrainerOptions {
  db: Db
  keys: AuditKeys
  /** Told each head once it is committed, one after the other. */
  onHead: (head: SignedHead) => Promise<void> | void
  onFault: (error: unknown) => void
}

/** Chains what is written. Every replica may run one: who finds another at it waits. Crosses workspaces. */
export function drainContinuously ({ db, keys, onHead, onFault }: DrainerOptions): { close: () => Promise<void> } {
  const drain = createDrain(db, keys)
  let closed = false
  let wake = () => {}
  let pause = BUSY_MS

  async function once (how?: { head_ms: number }): Promise<boolean> {
    const { more, heads } = await drain.round(how)
    for (const head of heads) await onHead(head)
    return more
  }

  async function loop (): Promise<void> {
    while (!closed) {
      try {
        if (await drain.isWanted()) pause = await once() ? 0 : BUSY_MS
        else pause = Math.min(2 * pause, IDLE_MAX_MS)
      } catch (error) {
        if (!closed) onFault(error)
        pause = FAULT_MS
      }
      if (pause > 0 && !closed) {
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, pause).unref()
        })
      }
      pause ||= BUSY_MS
    }
  }
  const running = loop()
  return {
    /** What has been written by now gets its head, as far as one round goes. */
    async close () {
      closed = true
      wake()
      await running
      await once({ head_ms: 0 }).catch(onFault)
    }
  }
}
