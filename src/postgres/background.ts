import { setTimeout as sleep } from 'node:timers/promises'

/** The least pause after a fault, for instance while the database is away. */
const FAULT_MS = 2000

export interface Background {
  /** Waits for the turn that runs now. No other turn begins. */
  close: () => Promise<void>
}

/**
 * Runs turns of work, one after the other, until it is closed. It does not keep the process alive.
 * @param turn one turn, which can ask whether it should stop early. It returns the milliseconds until the next turn.
 * @param onFault is called with what a turn throws. The next turn runs after a pause.
 * @param first_ms milliseconds until the first turn, and also after a fault if that is longer
 */
export function inBackground(
  turn: (closing: () => boolean) => Promise<number>,
  onFault: (error: unknown) => void,
  first_ms = 0
): Background {
  const closing = new AbortController()

  async function loop(): Promise<void> {
    for (let pause = first_ms; ;) {
      if (pause > 0) await sleep(pause, undefined, { ref: false, signal: closing.signal }).catch(() => {})
      if (closing.signal.aborted) return
      try {
        pause = await turn(() => closing.signal.aborted)
      } catch (error) {
        if (!closing.signal.aborted) onFault(error)
        pause = Math.max(FAULT_MS, first_ms)
      }
    }
  }

  const running = loop()
  return {
    async close() {
      closing.abort()
      await running
    }
  }
}
