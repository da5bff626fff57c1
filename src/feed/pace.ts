/**
 * How many deliveries to followers a replica makes in a second, counted in answers of wait_for_messages, and how many
 * at once. Beyond that, followers wait up to GATHERED_MAX_MS for the next delivery, which then has all changes that
 * came meanwhile, at the same cost. Writers need this: with 2000 waiting and 2000 streams, a tenth of them on sessions
 * that are written to without a pause, deliveries without a bound halved the write rate. With it the rate is 0.91 of
 * the rate without followers (bench/wake.md).
 */
const DELIVERIES_PER_SECOND = 500
const DELIVERIES_AT_ONCE = 200
const GATHERED_MAX_MS = 500
/**
 * How often in a second a feed is read if only streams follow it, and how many times at once. Changes of a quiet feed
 * come at once; those of one that grows all the time come together, so that one statement and one write to the socket
 * serve many. (bench/measures/watched.ts)
 */
const READINGS_PER_SECOND = 15
const READINGS_AT_ONCE = 5
/**
 * A reading costs 1 for each so many changes that it finds, at least 1 and at most COST_MAX. So a feed that grows by
 * more than 375 changes a second is read five times a second.
 */
const CHANGES_PER_COST = 25
const COST_MAX = 3

/** Puts work off while there is too much of it, so that what comes meanwhile is done together. */
export interface Pace {
  /** Notes the cost of work that was done. */
  spent: (cost: number) => void
  /** Milliseconds to wait before more work is done; 0: none. */
  pause_ms: () => number
}

/** For all deliveries of a replica. */
export function deliveryPace(): Pace {
  return createPace(DELIVERIES_PER_SECOND, DELIVERIES_AT_ONCE, GATHERED_MAX_MS)
}

/** For the readings of one feed; see `readingCost`. */
export function gatheringPace(): Pace {
  return createPace(READINGS_PER_SECOND, READINGS_AT_ONCE, (1000 * COST_MAX) / READINGS_PER_SECOND)
}

/** The cost of a reading, for the pace of its feed. @param changes how many it found for the viewer who sees most */
export function readingCost(changes: number): number {
  return Math.min(COST_MAX, Math.max(1, changes / CHANGES_PER_COST))
}

/**
 * @param per_second the cost of the work that may be done in a second, after `burst` of it was done at once
 * @param pause_max_ms the longest pause, whatever the work has cost
 */
export function createPace(per_second: number, burst: number, pause_max_ms: number): Pace {
  let left = burst
  let at = performance.now()
  const refill = () => {
    const now = performance.now()
    left = Math.min(burst, left + ((now - at) / 1000) * per_second)
    at = now
  }
  return {
    spent(cost) {
      refill()
      left = Math.max(left - cost, (-per_second * pause_max_ms) / 1000)
    },
    pause_ms() {
      refill()
      return left >= 0 ? 0 : (-left / per_second) * 1000
    }
  }
}
