/** Work that is put off while there is too much of it: what comes meanwhile is then done together. */
export interface Pace {
  /** Notes work that has been done, in calls. */
  spent: (calls: number) => void
  /** Milliseconds until more should be done; 0: now. */
  pause_ms: () => number
}

/**
 * @param per_second calls' worth of work a second, once `burst` of it has been done at once
 * @param pause_max_ms however much there is
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
    spent(calls) {
      refill()
      left = Math.max(left - calls, (-per_second * pause_max_ms) / 1000)
    },
    pause_ms() {
      refill()
      return left >= 0 ? 0 : (-left / per_second) * 1000
    }
  }
}
