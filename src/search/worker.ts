import { sql } from 'kysely'
import { type Background, inBackground } from '../postgres/background.js'
import type { Db } from '../postgres/schema.js'
import { fill, refill } from './fill.js'

/**
 * Pause when nothing waits: short after work, longer the longer there is none. Searches index what they need
 * themselves, so this is about load, not about what is found.
 */
const IDLE_MIN_MS = 50
const IDLE_MAX_MS = 1000
/**
 * While this process is busier than this (0 to 1; the worker's own share counts, and is small but for long texts), the
 * worker rests after each batch for as long as it took: what is written at once is indexed a little later, and calls
 * have most of the machine. (bench:search-writes: without rests add_message keeps 0.67 of the rate it has without an
 * index.)
 */
const BUSY = 0.5

/** Keeps the index up with what is written. Every replica may run one: rows that another is at are skipped. */
export function indexContinuously(db: Db, onFault: (error: unknown) => void): Background {
  let worked = false
  let idle = IDLE_MIN_MS

  return inBackground(async () => {
    const began = performance.now()
    const used = performance.eventLoopUtilization()
    if ((await fill(db)) > 0 || (await refill(db)) > 0) {
      worked = true
      idle = IDLE_MIN_MS
      return performance.eventLoopUtilization(used).utilization > BUSY ? performance.now() - began : 0
    }
    if (worked) {
      worked = false
      // Indexes by GIN put off what is inserted, and look it through in every search until it is merged: now, rather
      // than when vacuum comes by.
      await sql`select merge_put_off()`.execute(db).catch(() => {})
    }
    const pause = idle
    idle = Math.min(2 * idle, IDLE_MAX_MS)
    return pause
  }, onFault)
}
