import type { SharedContextEvent } from '../../../clients/typescript/src/index.js'
import type { SessionRow } from '../api/catalogue.js'
import type { Client } from '../api/client.js'

/** What goes on in a session now. */
export interface Activity {
  present: readonly string[]
  /** Messages in each of the last 60 minutes, the last one now; undefined: there are too many to read them all. */
  per_minute: ReadonlyArray<number | undefined>
}

const MINUTE_MS = 60_000
const MINUTES = 60
/** Messages of a page, and pages that are read of one session. */
const PAGE = 500
const PAGES = 4
/** Sessions that are looked at, at the same time. */
const AT_ONCE = 3
/** Sessions whose messages are counted, also when they are out of view. */
const KEPT = 100
/** Milliseconds until the page asks again who is in a session; and until then where somebody has just written. */
const LOOK_AGAIN_MS = 30_000
const LOOK_SOON_MS = 5000
/** Milliseconds between two times that changes are told. */
const TELL_MS = 500

interface Known {
  looked_at: number
  present: string[]
  /** When each message of the last hour was written, by its id; undefined: not read yet. */
  times: Map<number, number> | undefined
  /** All messages that were written after that are in `times`. */
  since: number
  /** What the stream told while they were read. */
  came: Map<number, number>
  went: Set<number>
}

/**
 * Who is in the sessions in view, and how much they write: each is read once, and then kept by the event stream of the
 * workspace.
 */
export class SessionActivity {
  private readonly known = new Map<string, Known>()
  private wanted: readonly SessionRow[] = []
  private busy = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly client: Client,
    private readonly onChange: () => void
  ) {}

  close(): void {
    this.wanted = []
    clearTimeout(this.timer)
  }

  /** @param rows those in view: the ones where nothing was said for an hour have nothing to show */
  look(rows: readonly SessionRow[]): void {
    const since = Date.now() - MINUTES * MINUTE_MS
    this.wanted = rows.filter(({ last_activity }) => Date.parse(last_activity) >= since)
    while (this.busy < AT_ONCE && this.next() !== undefined) void this.work()
  }

  of(session_id: string): Activity | undefined {
    const known = this.known.get(session_id)
    if (known?.times === undefined) return undefined
    return { present: known.present, per_minute: perMinute(known.times.values(), known.since) }
  }

  apply({ event, data }: SharedContextEvent): void {
    const known = 'session_id' in data && data.session_id !== undefined ? this.known.get(data.session_id) : undefined
    if (known === undefined) return
    if (event === 'message_added' || event === 'visibility_changed') {
      const { id, timestamp } = data.message
      known.went.delete(id)
      known.came.set(id, Date.parse(timestamp))
    } else if (event === 'message_hidden' || event === 'message_deleted') {
      known.came.delete(data.message_id)
      known.went.add(data.message_id)
    } else return
    if (known.times !== undefined) settle(known)
    this.tell()
  }

  private next(): string | undefined {
    const now = Date.now()
    return this.wanted.find(({ id, last_activity }) => {
      const looked_at = this.known.get(id)?.looked_at ?? -Infinity
      // The server notes an agent as present a moment after it wrote.
      const isSoon = Date.parse(last_activity) + LOOK_SOON_MS > looked_at
      return now - looked_at > (isSoon ? LOOK_SOON_MS : LOOK_AGAIN_MS)
    })?.id
  }

  private async work(): Promise<void> {
    this.busy++
    for (let id = this.next(); id !== undefined; id = this.next()) {
      const known = this.known.get(id) ?? {
        looked_at: 0,
        present: [],
        times: undefined,
        since: 0,
        came: new Map<number, number>(),
        went: new Set<number>()
      }
      known.looked_at = Date.now()
      this.known.delete(id)
      // So the map is in the order in which sessions were looked at.
      this.known.set(id, known)
      try {
        await this.read(id, known)
      } catch {
        // It may be gone; and what fails is tried again.
      }
      this.forget()
      this.tell()
    }
    this.busy--
  }

  private async read(session_id: string, known: Known): Promise<void> {
    const { session } = await this.client.call('get_session', { session_id, message_limit: 0 })
    known.present = session.present.map(({ agent_id }) => agent_id).filter(id => id !== this.client.identity.agent_id)
    if (known.times !== undefined) return
    const begin = Date.now() - MINUTES * MINUTE_MS
    const times = new Map<number, number>()
    known.since = begin
    for (let pages = 1, before = {}; ; pages++) {
      const page = await this.client.call('get_messages', { session_id, limit: PAGE, order: 'desc', ...before })
      for (const { id, timestamp } of page.messages) times.set(id, Date.parse(timestamp))
      const last = page.messages.at(-1)
      if (last === undefined || !page.has_more || Date.parse(last.timestamp) < begin) break
      if (pages === PAGES) {
        known.since = Date.parse(last.timestamp)
        break
      }
      before = { before_seq: last.seq }
    }
    known.times = times
    settle(known)
  }

  private forget(): void {
    for (const id of this.known.keys()) {
      if (this.known.size <= KEPT) return
      if (!this.wanted.some(row => row.id === id)) this.known.delete(id)
    }
  }

  private tell(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.onChange()
    }, TELL_MS)
  }
}

/** Adds what the stream told. If that is too much, it forgets the older half. */
function settle(known: Known): void {
  const times = known.times as Map<number, number>
  for (const [id, time] of known.came) times.set(id, time)
  for (const id of known.went) times.delete(id)
  known.came.clear()
  known.went.clear()
  if (times.size <= PAGE * PAGES) return
  const sorted = [...times].sort((a, b) => a[1] - b[1])
  for (const [id, time] of sorted.slice(0, sorted.length / 2)) {
    times.delete(id)
    known.since = Math.max(known.since, time)
  }
}

/** Minutes of which not all is known have no count. */
function perMinute(times: Iterable<number>, since: number): Array<number | undefined> {
  const now = Date.now()
  const known = Math.min(MINUTES, Math.max(1, Math.floor((now - since) / MINUTE_MS)))
  const counts: Array<number | undefined> = Array.from({ length: MINUTES })
  counts.fill(0, MINUTES - known)
  for (const time of times) {
    const at = MINUTES - 1 - Math.floor(Math.max(0, now - time) / MINUTE_MS)
    const count = counts[at]
    if (count !== undefined) counts[at] = count + 1
  }
  return counts
}
