/** How often one replica writes the same key at most (docs/semantics.md, Metrics). */
const AT_MOST_EVERY_MS = 30_000
const FLUSH_MS = 1000

export interface ThrottledWriter<T> {
  note: (key: string, value: T) => void
  close: () => Promise<void>
}

/**
 * Gathers what requests note and writes it in the background: once a second everything that is due, in one statement,
 * and each key at most every 30 s. `write` gets the values in the order of their keys. All replicas have this order, so
 * their statements cannot deadlock.
 *
 * It is no Batcher: nobody waits for an answer, a later note replaces an earlier one, and a clock starts the write.
 */
export function throttledWriter<T>(write: (due: T[]) => Promise<void>): ThrottledWriter<T> {
  const written = new Map<string, number>()
  let due = new Map<string, T>()
  let flushing: Promise<void> = Promise.resolve()

  async function flush(): Promise<void> {
    const now = performance.now()
    for (const [key, at] of written) if (now - at > AT_MOST_EVERY_MS) written.delete(key)
    if (due.size === 0) return
    const batch = [...due].sort(([a], [b]) => (a < b ? -1 : 1))
    due = new Map()
    for (const [key] of batch) written.set(key, now)
    try {
      await write(batch.map(([, value]) => value))
    } catch {
      // The database is away. The next value of each key is written instead.
      for (const [key] of batch) written.delete(key)
    }
  }

  const timer = setInterval(() => {
    flushing = flushing.then(flush)
  }, FLUSH_MS)
  timer.unref()

  return {
    note(key, value) {
      if (!written.has(key)) due.set(key, value)
    },
    async close() {
      clearInterval(timer)
      await flushing.then(flush)
    }
  }
}
