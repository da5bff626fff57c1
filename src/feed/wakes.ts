import { addHistogram, type Metrics } from '../kernel/metrics.js'

/**
 * Measures how long messages take to those who wait: from the time that a message was written until the call which
 * waited for it has its answer.
 */
export interface Wakes {
  /** Says that a call waits from now on. @returns what is told when the message was written that the call has got */
  begin: () => (written_at: string) => void
}

/** @param now the database's clock, by which messages have their times: milliseconds since 1970 */
export function measureWakes(metrics: Metrics, now: () => number): Wakes {
  const observe = addHistogram(
    metrics,
    'message_wake_seconds',
    'Time from a message being written until a call on this replica that waited for it has its answer, in seconds.'
  )
  return {
    begin() {
      const began = now()
      return written_at => {
        const written = Date.parse(written_at)
        // One that was there before has woken nobody.
        if (written >= began) observe(Math.max(0, now() - written) / 1000)
      }
    }
  }
}
