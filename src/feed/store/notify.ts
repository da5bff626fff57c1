import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { createHub, type Events, type Topic } from '../../kernel/events.js'
import { trackEpisodes } from '../../postgres/episodes.js'
import { loggableFault } from '../../postgres/faults.js'
import type { Db } from '../../postgres/schema.js'
import { payloadsOf, topicsIn } from './hint-payload.js'
import { ListenConnection } from './listen-connection.js'
import { VersionPoll } from './version-poll.js'

/** The least time between two statements: what is published meanwhile is sent together. A single hint goes at once. */
const GATHER_MS = 5
/** Topics kept while there is no connection. The other replicas find the rest by polling. */
const KEPT_MAX = 10_000
/**
 * How often the database is asked what has changed: once a second for hints that are lost, more often without hints.
 */
const LISTENING_POLL_MS = 1000
const SILENT_POLL_MS = 250

export interface NotifyOptions {
  /** Makes a new connection. */
  client: (signal: AbortSignal) => Promise<Client>
  /** Where versions are read. */
  db: Db
  log: {
    info: (fields: Record<string, unknown>, message: string) => void
    warn: (fields: Record<string, unknown>, message: string) => void
  }
  /** Milliseconds between two proofs that notifications arrive. */
  heartbeat_ms?: number
  /** Milliseconds in which a proof, or any answer, must come. */
  patience_ms?: number
  /** Milliseconds after which the connection is replaced; 0 for never. */
  max_age_ms?: number
  /** Milliseconds that closing waits for the last hints. */
  close_ms?: number
}

export interface Notify extends Events {
  mode: () => 'listen' | 'poll'
  close: () => Promise<void>
}

/**
 * Hints between replicas by LISTEN and NOTIFY. A notification is never part of a transaction that writes: there it
 * would make all commits of the database wait for one lock. A hint has reached the other replica some 5 ms after the
 * write was answered (bench/wake.md).
 */
export function openNotify({
  client,
  db,
  log,
  heartbeat_ms = 5000,
  patience_ms = 2000,
  max_age_ms = 0,
  close_ms = 500
}: NotifyOptions): Notify {
  const self = randomBytes(6).toString('hex')
  const pending = new Set<Topic>()
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let sent_at = -Infinity
  let proven = false
  let closed = false

  const silence = trackEpisodes({
    onBegin(fault) {
      log.warn(
        fault === undefined ? {} : { err: loggableFault(fault) },
        'hints between replicas do not arrive (a pooler that swallows LISTEN, or no connection): ' +
          'the database is asked every 250 ms'
      )
    },
    onEnd(times, seconds) {
      log.info({ times, seconds }, 'hints between replicas arrive again')
    },
    isOver: () => proven
  })
  const hub = createHub(topics => {
    // A session's topic names its workspace too, so that the workspace needs no topic of its own.
    for (const topic of topics) if (pending.size < KEPT_MAX) pending.add(topic)
    sendSoon()
  })
  const connection = new ListenConnection({
    client,
    self,
    heartbeat_ms,
    patience_ms,
    max_age_ms,
    onReady: sendSoon,
    onPayload: payload => {
      hub.heard(topicsIn(payload))
    },
    onProof() {
      if (proven) return
      proven = true
      hub.wakeAll()
      poll.schedule()
    },
    onSilence(fault) {
      silence.fault(fault)
      proven = false
      poll.schedule()
    }
  })
  const poll = new VersionPoll(hub, db, () => (proven ? LISTENING_POLL_MS : SILENT_POLL_MS))

  function sendSoon(): void {
    if (timer !== undefined || sending !== undefined || pending.size === 0 || !connection.ready || closed) return
    timer = setTimeout(
      () => {
        void send()
      },
      Math.max(0, sent_at + GATHER_MS - performance.now())
    )
  }

  async function send(): Promise<void> {
    timer = void clearTimeout(timer)
    if (!connection.ready || pending.size === 0) return
    sent_at = performance.now()
    const topics = [...pending]
    pending.clear()
    sending = connection.notify(payloadsOf(self, topics))
    await sending
    sending = undefined
    sendSoon()
  }

  /** Sends what has been published so far. */
  async function sendRest(): Promise<void> {
    await sending
    await send()
  }

  return {
    publish: hub.publish,
    subscribe: hub.subscribe,
    mode: () => (proven ? 'listen' : 'poll'),
    async close() {
      closed = true
      let late: NodeJS.Timeout | undefined
      await Promise.race([sendRest(), new Promise(resolve => (late = setTimeout(resolve, close_ms)))])
      clearTimeout(late)
      silence.close()
      hub.close()
      connection.close()
      await poll.close()
    }
  }
}
