import { sql } from 'kysely'
import type { Db } from '../schema.js'
import { fill } from './fill.js'

/**
 * Pause when nothing waits: short after work, longer the longer there is none. Searches index what they need themselves, so
 * this is about load, not about what is found.
 */
const IDLE_MIN_MS = 50
const IDLE_MAX_MS = 1000
/**
 * While this process is busier than this (0 to 1; the worker's own share counts, and is small but for long texts), the worker rests
 * after each batch for as long as it took: what is written at once is indexed a little later, and calls have most of the machine.
 * (bench:search-writes: without rests add_message keeps 0.67 of the rate it has without an index.)
 */
const BUSY = 0.5
/** Pause after a fault, such as a database that is away. */
const FAULT_MS = 2000

export interface SearchWorker { close: () => Promise<void> }

/** Keeps the index up with what is written. Every replica may run one: rows that another is at are skipped. */
export function indexContinuously (db: Db, onFault: (error: unknown) => void): SearchWorker {
  let closed = false
  let wake = () => {}
  let busy = false
  let idle = IDLE_MIN_MS

  async function loop (): Promise<void> {
    while (!closed) {
      let pause = idle
      const began = performance.now()
      const used = performance.eventLoopUtilization()
      idle = Math.min(2 * idle, IDLE_MAX_MS)
      try {
        const done = await fill(db)
        if (done > 0) {
          busy = true
          idle = IDLE_MIN_MS
          pause = performance.eventLoopUtilization(used).utilization > BUSY ? performance.now() - began : 0
        } else if (busy) {
          busy = false
          // Indexes by GIN put off what is inserted, and look it through in every search until it is merged: now, rather than when vacuum comes by.
          await sql`select merge_put_off()`.execute(db).catch(() => {})
        }
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
    }
  }
  const running = loop()
  return {
    async close () {
      closed = true
      wake()
      await running
    }
  }
}
