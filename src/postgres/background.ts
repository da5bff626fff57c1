/** Pause after a fault, such as a database that is away, at least. */
const FAULT_MS = 2000

export interface Background {
  /** No turn begins after it; the one under way is waited for. */
  close: () => Promise<void>
}

/**
 * Work in the background, turn after turn, which keeps no process alive.
 * @param turn one of them, which may ask whether it should come to its end; how many milliseconds to rest after it
 * @param onFault told what a turn throws; after a while there is another
 * @param first_ms until the first, and after a fault where that is longer
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
