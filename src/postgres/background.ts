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
  let closed = false
  let wake = () => {}
  const closing = () => closed

  async function loop(): Promise<void> {
    for (let pause = first_ms; !closed;) {
      if (pause > 0) await sleep(pause)
      if (closed) return
      try {
        pause = await turn(closing)
      } catch (error) {
        if (!closed) onFault(error)
        pause = Math.max(FAULT_MS, first_ms)
      }
    }
  }

  function sleep(pause: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, pause).unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const running = loop()
  return {
    async close() {
      closed = true
      wake()
      await running
    }
  }
}
