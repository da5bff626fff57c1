import type { Client } from 'pg'
import { ConnectError, ReadOnlyServer, UnfitDatabase } from '../../postgres/faults.js'

const CHANNEL = 'scs'
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5000
/** A pooler does not become a server by waiting; but an operator may put a server in its place. */
const RETRY_UNFIT_MS = 60_000

export interface ListenOptions {
  /** Makes a new connection. */
  client: (signal: AbortSignal) => Promise<Client>
  /** Begins every payload of this replica; no other replica knows it. */
  self: string
  /** Milliseconds between two proofs. */
  heartbeat_ms: number
  /** Milliseconds in which a proof, or any answer, must come. */
  patience_ms: number
  /** Milliseconds after which the connection is replaced; 0 for never. */
  max_age_ms: number
  /** The connection can send. */
  onReady: () => void
  /** A notification to itself has come back. */
  onProof: () => void
  /** No notification comes back, or the connection is lost: with the fault, if one is known. */
  onSilence: (fault?: unknown) => void
  /** A payload of another replica. */
  onPayload: (payload: string) => void
}

interface Attempt {
  /** Undefined until it is connected. */
  client?: Client
  /** Gives up connecting. */
  abort: AbortController
  /** The number of the last notification to itself. */
  beat: number
  began_at: number
  timer?: NodeJS.Timeout
}

/**
 * A connection that listens and notifies, and does nothing else. When it is lost, another one is opened.
 *
 * It proves itself: a notification to itself must come back, at the start and again and again. Some poolers swallow
 * LISTEN, and some networks swallow a whole connection without closing it; both look like silence
 * (test/feed/notify.test.ts has each of them).
 */
export class ListenConnection {
  private attempt: Attempt | undefined
  private connected = false
  private closed = false
  private wait = RETRY_MIN_MS
  private retry: NodeJS.Timeout | undefined

  constructor(private readonly options: ListenOptions) {
    void this.connect()
  }

  get ready(): boolean {
    return this.connected
  }

  /** What cannot be sent is lost: the other replicas notice the change by themselves, within a second. */
  async notify(payloads: string[]): Promise<void> {
    const current = this.attempt
    if (current?.client === undefined || !this.connected) return
    try {
      await current.client.query('select pg_notify($1, payload) from unnest($2::text[]) payload', [CHANNEL, payloads])
    } catch (error) {
      this.lose(current, error)
    }
  }

  close(): void {
    this.closed = true
    clearTimeout(this.retry)
    if (this.attempt !== undefined) drop(this.attempt)
    this.attempt = undefined
    this.connected = false
  }

  private async connect(): Promise<void> {
    if (this.closed) return
    const current: Attempt = { abort: new AbortController(), beat: 0, began_at: performance.now() }
    const late = setTimeout(() => {
      this.lose(current, new Error('timeout'))
    }, this.options.patience_ms)
    this.attempt = current
    try {
      const client = await this.options.client(current.abort.signal)
      current.client = client
      // It may have been given up at this very moment.
      if (this.attempt !== current) {
        drop(current)
        return
      }
      client.on('error', error => {
        this.lose(current, error)
      })
      client.on('end', () => {
        this.lose(current, undefined)
      })
      client.on('notification', ({ payload }) => {
        this.hear(current, payload ?? '')
      })
      // A commit with a notification holds one lock of the whole database; a hint that a crash loses does no harm.
      await client.query('set synchronous_commit = off')
      await client.query(`listen ${CHANNEL}`)
      if (this.attempt !== current) return
      this.connected = true
      this.beat(current)
      this.options.onReady()
    } catch (error) {
      this.lose(current, error)
    } finally {
      clearTimeout(late)
    }
  }

  /** Sends a notification to itself, and expects it. */
  private beat(current: Attempt): void {
    if (this.attempt !== current) return
    const { max_age_ms } = this.options
    if (max_age_ms > 0 && performance.now() - current.began_at > max_age_ms) {
      // The hints of this moment are lost; the regular poll finds what they were about.
      this.attempt = undefined
      this.connected = false
      drop(current)
      void this.connect()
      return
    }
    const number = ++current.beat
    let answered = false
    current.client
      ?.query<{ read_only: string }>(
        "select pg_notify($1, $2), current_setting('transaction_read_only') as read_only",
        [CHANNEL, `${this.options.self} ${number}`]
      )
      .then(
        ({ rows: [row] }) => {
          answered = true
          // After a failover this server is a standby: the writers are at another one.
          if (row?.read_only === 'on') this.lose(current, new ReadOnlyServer())
        },
        (error: unknown) => {
          this.lose(current, error)
        }
      )
    current.timer = setTimeout(() => {
      if (this.attempt !== current) return
      if (!answered) {
        this.lose(current, new Error('timeout'))
        return
      }
      // The server answers but its notifications do not come: the connection can still send.
      this.options.onSilence()
      this.beatLater(current)
    }, this.options.patience_ms).unref()
  }

  private beatLater(current: Attempt): void {
    clearTimeout(current.timer)
    current.timer = setTimeout(() => {
      this.beat(current)
    }, this.options.heartbeat_ms).unref()
  }

  private hear(current: Attempt, payload: string): void {
    if (this.attempt !== current) return
    const { self, onPayload, onProof } = this.options
    if (!payload.startsWith(self)) {
      onPayload(payload)
      return
    }
    if (payload !== `${self} ${current.beat}`) return
    this.beatLater(current)
    this.wait = RETRY_MIN_MS
    onProof()
  }

  private lose(current: Attempt, fault: unknown): void {
    if (this.attempt !== current) return
    this.attempt = undefined
    this.connected = false
    drop(current)
    this.options.onSilence(fault)
    this.retry = setTimeout(
      () => {
        void this.connect()
      },
      (isUnfit(fault) ? RETRY_UNFIT_MS : this.wait) * (0.5 + Math.random())
    ).unref()
    this.wait = Math.min(2 * this.wait, RETRY_MAX_MS)
  }
}

function isUnfit(fault: unknown): boolean {
  return fault instanceof ConnectError && fault.cause instanceof UnfitDatabase
}

function drop({ client, abort, timer }: Attempt): void {
  clearTimeout(timer)
  abort.abort()
  if (client === undefined) return
  client.removeAllListeners()
  client.on('error', () => {})
  // Ending it politely would wait for a server that may be gone.
  client.connection.stream.destroy()
}
