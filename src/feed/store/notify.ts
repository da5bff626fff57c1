import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { createHub, type Events, partsOf, type Topic } from '../../kernel/events.js'
import { loggableFault, ReadOnlyServer } from '../../postgres/faults.js'
import { destroySocket } from '../../postgres/pg-internals.js'
import type { Db } from '../../postgres/schema.js'
import { versionsOf } from './topics.js'

/**
 * Hints between replicas by LISTEN and NOTIFY, on one connection that does nothing else. A notification is never part
 * of a transaction that writes: there it would make all commits of the database queue up.
 *
 * The connection proves itself: a notification to itself must come back, at the start and again and again, since some
 * poolers swallow LISTEN and some networks a whole connection. As long as it has not, the database is asked four times
 * a second what has changed; else once, for hints that are lost.
 */

const CHANNEL = 'scs'
/** The least time between two statements: what is published meanwhile is gathered. A lone hint goes at once. */
const GATHER_MS = 5
/** PostgreSQL takes payloads below 8000 bytes. */
const PAYLOAD_MAX = 7900
/** Topics kept for a connection that is not there; beyond, they are left to the others' own looking. */
const KEPT_MAX = 10_000
const LISTENING_LOOK_MS = 1000
const POLLING_LOOK_MS = 250
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5000

export interface NotifyOptions {
  /** A new connection, not yet connected. */
  client: () => Client
  /** Where versions are looked up. */
  db: Db
  log: {
    info: (fields: Record<string, unknown>, message: string) => void
    warn: (fields: Record<string, unknown>, message: string) => void
  }
  /** Milliseconds between two proofs. */
  heartbeat_ms?: number
  /** Milliseconds in which a proof, or any answer, has to be there. */
  patience_ms?: number
}

export interface Notify extends Events {
  mode: () => 'listen' | 'poll'
  close: () => Promise<void>
}

interface Connection {
  client: Client
  /** The number of the last notification to itself. */
  beat: number
  timer?: NodeJS.Timeout
}

export function openNotify({
  client: newClient,
  db,
  log,
  heartbeat_ms = 5000,
  patience_ms = 2000
}: NotifyOptions): Notify {
  // Known to nobody else: what comes back under it is our own.
  const self = randomBytes(6).toString('hex')
  const pending = new Set<Topic>()
  const hub = createHub(send)
  let connection: Connection | undefined
  let sending: NodeJS.Timeout | true | undefined
  let sent_at = -Infinity
  let proven = false
  let warned = false
  let closed = false
  let wait = RETRY_MIN_MS
  let retry: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let look_timer: NodeJS.Timeout | undefined
  let last_look = -Infinity

  function send(topics: readonly Topic[]): void {
    // Topics that only this replica uses are not worth a message; a session's say the workspace's too.
    for (const topic of topics) if (pending.size < KEPT_MAX) pending.add(topic)
    gather()
  }

  function gather(): void {
    if (sending !== undefined || pending.size === 0 || connection === undefined || closed) return
    sending = setTimeout(
      () => {
        void flush()
      },
      Math.max(0, sent_at + GATHER_MS - performance.now())
    )
  }

  async function flush(): Promise<void> {
    const current = connection
    if (current === undefined) {
      sending = undefined
      return
    }
    sending = true
    sent_at = performance.now()
    const topics = [...pending]
    pending.clear()
    try {
      await current.client.query('select pg_notify($1, payload) from unnest($2::text[]) payload', [
        CHANNEL,
        payloads(self, topics)
      ])
    } catch (error) {
      // The others notice by themselves, within a second.
      lost(current, error)
    } finally {
      sending = undefined
      gather()
    }
  }

  async function connect(): Promise<void> {
    if (closed) return
    const client = newClient()
    const current: Connection = { client, beat: 0 }
    client.on('error', error => {
      lost(current, error)
    })
    client.on('end', () => {
      lost(current, undefined)
    })
    client.on('notification', ({ payload }) => {
      hear(current, payload ?? '')
    })
    connection = undefined
    const giveUp = setTimeout(() => {
      lost(current, new Error('timeout'))
    }, patience_ms)
    attempt = current
    try {
      await client.connect()
      // Its commits hold a lock that is one for the whole database, and what they say may be lost.
      await client.query('set synchronous_commit = off')
      await client.query(`listen ${CHANNEL}`)
      if (attempt !== current || closed) return
      connection = current
      beat(current)
      gather()
    } catch (error) {
      lost(current, error)
    } finally {
      clearTimeout(giveUp)
    }
  }
  let attempt: Connection | undefined

  /** Sends a notification to itself, and expects it. */
  function beat(current: Connection): void {
    if (attempt !== current || closed) return
    const number = ++current.beat
    let answered = false
    current.client
      .query<{ read_only: string }>("select pg_notify($1, $2), current_setting('transaction_read_only') as read_only", [
        CHANNEL,
        `${self} ${number}`
      ])
      .then(
        ({ rows: [row] }) => {
          answered = true
          // A primary that has handed over: whoever writes does so elsewhere by now.
          if (row?.read_only === 'on') lost(current, new ReadOnlyServer())
        },
        (error: unknown) => {
          lost(current, error)
        }
      )
    current.timer = setTimeout(() => {
      if (attempt !== current) return
      if (!answered) lost(current, new Error('timeout'))
      // It answers but does not notify: of use for sending still.
      else poll()
      if (attempt === current)
        current.timer = setTimeout(() => {
          beat(current)
        }, heartbeat_ms).unref()
    }, patience_ms).unref()
  }

  function hear(current: Connection, payload: string): void {
    if (attempt !== current || closed) return
    if (!payload.startsWith(self)) return hub.heard(topicsIn(payload))
    if (payload !== `${self} ${current.beat}`) return
    clearTimeout(current.timer)
    current.timer = setTimeout(() => {
      beat(current)
    }, heartbeat_ms).unref()
    wait = RETRY_MIN_MS
    if (proven) return
    proven = true
    if (warned) log.info({}, 'hints between replicas arrive again')
    warned = false
    hub.wakeAll()
    lookSoon()
  }

  function poll(): void {
    if (closed) return
    if (!warned)
      log.warn(
        {},
        'hints between replicas do not arrive (a pooler that swallows LISTEN, or no connection): the database is asked every 250 ms'
      )
    warned = true
    proven = false
    lookSoon()
  }

  function lost(current: Connection, error: unknown): void {
    if (attempt !== current || closed) return
    attempt = connection = undefined
    drop(current)
    if (error !== undefined && proven) log.info({ err: loggableFault(error) }, 'connection for hints lost')
    poll()
    retry = setTimeout(
      () => {
        void connect()
      },
      wait * (0.5 + Math.random())
    ).unref()
    wait = Math.min(2 * wait, RETRY_MAX_MS)
  }

  function drop({ client, timer }: Connection): void {
    clearTimeout(timer)
    client.removeAllListeners()
    client.on('error', () => {})
    // A polite end would wait for a peer that may be gone.
    destroySocket(client)
  }

  function lookSoon(): void {
    if (closed) return
    clearTimeout(look_timer)
    const due = last_look + (proven ? LISTENING_LOOK_MS : POLLING_LOOK_MS) - performance.now()
    look_timer = setTimeout(
      () => {
        last_look = performance.now()
        looking = look().finally(() => {
          looking = undefined
          lookSoon()
        })
      },
      Math.max(0, due)
    ).unref()
  }

  async function look(): Promise<void> {
    const topics = hub.topics()
    if (topics.length === 0) return
    // Without a version of their own.
    const always = topics.filter(topic => partsOf(topic).kind === 'workspace')
    if (always.length > 0) hub.heard(always)
    try {
      hub.seen(await versionsOf(db, topics))
    } catch {
      // The database is away; the next look tells.
    }
  }

  void connect()
  lookSoon()

  return {
    publish: hub.publish,
    subscribe: hub.subscribe,
    mode: () => (proven ? 'listen' : 'poll'),
    async close() {
      // What has just been written is still told.
      if (typeof sending === 'object') {
        clearTimeout(sending)
        await Promise.race([flush(), new Promise(resolve => setTimeout(resolve, 500))])
      }
      closed = true
      hub.close()
      clearTimeout(look_timer)
      clearTimeout(retry)
      const current = attempt
      attempt = connection = undefined
      if (current !== undefined) drop(current)
      await looking
    }
  }
}

/** `<sender> <topics as JSON>`, as many as it takes. */
function payloads(self: string, topics: readonly Topic[]): string[] {
  const found: string[] = []
  let part: Topic[] = []
  let bytes = 0
  for (const topic of topics) {
    const more = Buffer.byteLength(JSON.stringify(topic)) + 1
    if (part.length > 0 && bytes + more > PAYLOAD_MAX - self.length - 3) {
      found.push(`${self} ${JSON.stringify(part)}`)
      part = []
      bytes = 0
    }
    part.push(topic)
    bytes += more
  }
  return [...found, `${self} ${JSON.stringify(part)}`]
}

/** What does not read as ours is nothing: anybody who may use the database may notify. */
function topicsIn(payload: string): Topic[] {
  try {
    const topics = JSON.parse(payload.slice(payload.indexOf(' ') + 1)) as unknown
    return Array.isArray(topics) ? (topics.filter(topic => typeof topic === 'string') as Topic[]) : []
  } catch {
    return []
  }
}
