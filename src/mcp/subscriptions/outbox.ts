import { setTimeout as sleep } from 'node:timers/promises'

/** The least time between two rounds of notifications on one stream. */
const GAP_MS = 100

export interface Outbox {
  updated: (uri: string) => void
  close: () => void
}

/**
 * Holds what a client is told: each URI once, however often its resource has changed meanwhile. Nothing is sent while
 * the client does not read. So a stream never holds more than the URIs that it is subscribed to.
 * @param ready what to wait for before the next is sent, if anything
 */
export function createOutbox(send: (uri: string) => void, ready: () => void | Promise<void>): Outbox {
  const due = new Set<string>()
  let sending = false
  let closed = false
  let last = -Infinity

  async function sendAll(): Promise<void> {
    sending = true
    while (due.size > 0 && !closed) {
      await sleep(Math.max(0, last + GAP_MS - performance.now()))
      for (const uri of [...due]) {
        await ready()
        if (closed) return
        due.delete(uri)
        send(uri)
      }
      last = performance.now()
    }
    sending = false
  }

  return {
    updated(uri) {
      if (closed) return
      due.add(uri)
      if (!sending) void sendAll()
    },
    close() {
      closed = true
      due.clear()
    }
  }
}
