/** Between two rounds of notifications on one stream. */
const GAP_MS = 100

export interface Outbox {
  updated: (uri: string) => void
  /** The client reads again. */
  resume: () => void
  close: () => void
}

/**
 * What is to be told on a stream: each URI once, however often it has changed meanwhile, and nothing while the client
 * does not read. So a stream never holds more than the URIs it is subscribed to.
 */
export function createOutbox(send: (uri: string) => void, blocked: () => boolean): Outbox {
  const due = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let last = -Infinity
  let closed = false

  function flush(): void {
    timer = undefined
    for (const uri of due) {
      if (blocked()) return
      due.delete(uri)
      send(uri)
    }
    last = performance.now()
  }

  function later(): void {
    if (closed || timer !== undefined || due.size === 0 || blocked()) return
    timer = setTimeout(flush, Math.max(0, last + GAP_MS - performance.now()))
  }

  return {
    updated(uri) {
      due.add(uri)
      later()
    },
    resume: later,
    close() {
      closed = true
      clearTimeout(timer)
      due.clear()
    }
  }
}
