/** The same thing is written at most this often by one replica (docs/semantics.md, Metrics). */
const AT_MOST_EVERY_MS = 30_000
const FLUSH_MS = 1000

export interface ThrottledWriter<T> {
  note: (key: string, what: T) => void
  close: () => Promise<void>
}

/**
 * Writes what is noted, each thing at most every 30 s, off the requests' path and all that is due in one statement. It
 * is no Batcher: nobody waits for an answer, a later note replaces an earlier one, and a clock says when it is written.
 * `write` gets them in the order of their keys, the same everywhere, so that two replicas' statements cannot lock the
 * same rows crosswise.
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
      await write(batch.map(([, what]) => what))
    } catch {
      // The database is away: the next of each is noted instead.
      for (const [key] of batch) written.delete(key)
    }
  }

  const timer = setInterval(() => {
    flushing = flushing.then(flush)
  }, FLUSH_MS)
  timer.unref()

  return {
    note(key, what) {
      if (!written.has(key)) due.set(key, what)
    },
    async close() {
      clearInterval(timer)
      await flushing.then(flush)
    }
  }
}
