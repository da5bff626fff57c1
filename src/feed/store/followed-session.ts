import type { Agent } from '../../kernel/agent.js'
import { type Events, sessionTopic } from '../../kernel/events.js'
import type { Semaphore } from '../../kernel/semaphore.js'
import type { EndReason, Follower } from '../live.js'
import type { Pace } from '../pace.js'
import { type Change, changesForMany } from './feed.js'
import type { Db } from '../../postgres/schema.js'
import { distinct } from './viewers.js'

/** Numbers of a session's order that one reading takes at most. */
const PAGE = 250
/** And at least, where little is wanted: what is asked for may not be for this viewer. */
const PAGE_LEAST = 50
/** How long a session is kept that nobody follows: those who wait come back with the next call. */
const LINGER_MS = 1000
/** Pause at most where a page's worth is there already: more time would gather nothing more. */
const FULL_PAUSE_MS = 200
/** After a reading that failed. */
const RETRY_MS = 250

/** One who follows a session. */
export interface Entry {
  viewer: Agent
  follower: Follower
  cursor: number
  open: boolean
  /** Whether it is being brought up to where the others are. */
  behind: boolean
  /** Ends the following without a word. */
  leave: () => void
}

interface Deps {
  events: Events
  onFault: (error: unknown) => void
  db: Db
  gate: Semaphore
  pace: Pace
  end: (entry: Entry, reason: EndReason) => void
  refused: (entry: Entry) => EndReason | false | undefined
  /** Asks the database where memory cannot tell. */
  ended: (viewer: Agent) => Promise<EndReason | false>
}

/** A session that is followed: one cursor for all who stand at it, one reading for those at one place. */
export class FollowedSession {
  private readonly entries = new Set<Entry>()
  private readonly unsubscribe: () => void
  /** Where those stand who have been told everything read so far; undefined before the first reading. */
  private cursor: number | undefined
  /** Where the session ended at the last reading. */
  private head = 0
  private reading = false
  private again = false
  private retry: NodeJS.Timeout | undefined
  private is_active = true
  /** Whether something came that was not read, since nobody was there to read it for. */
  private missed = false
  private lingering: NodeJS.Timeout | undefined

  constructor(
    private readonly means: Deps,
    workspace: string,
    private readonly session_id: string
  ) {
    this.unsubscribe = means.events.subscribe(sessionTopic(workspace, session_id), version => {
      // Of a session that is gone the version is ''.
      if (version === undefined || version === '' || this.cursor === undefined || Number(version) > this.cursor)
        this.wake()
    })
  }

  get empty(): boolean {
    return this.entries.size === 0
  }

  get standing(): { cursor: number; is_active: boolean } | undefined {
    if (this.cursor === undefined || this.missed) return undefined
    return { cursor: this.cursor, is_active: this.is_active }
  }

  add(entry: Entry): void {
    clearTimeout(this.lingering)
    this.entries.add(entry)
    if (this.cursor === undefined || this.missed || entry.cursor > this.cursor) this.wake()
    else if (entry.cursor < this.cursor) void this.catchUp(entry)
  }

  /** @param forget when nobody has come back for a while */
  remove(entry: Entry, forget: () => void): void {
    this.entries.delete(entry)
    if (!this.empty) return
    if (this.retry !== undefined) this.missed = true
    clearTimeout(this.retry)
    this.retry = undefined
    this.lingering = setTimeout(() => {
      this.unsubscribe()
      forget()
    }, LINGER_MS).unref()
  }

  private wake(): void {
    if (this.reading) this.again = true
    else if (this.empty) this.missed = true
    else void this.readOn()
  }

  private async readOn(): Promise<void> {
    this.reading = true
    this.missed = false
    let more = true
    try {
      while ((more || this.again) && !this.empty) {
        const pause_ms = this.cursor === undefined ? 0 : this.pause_ms(this.head - this.cursor >= PAGE)
        if (pause_ms > 0)
          await new Promise(resolve => {
            setTimeout(resolve, pause_ms).unref()
          })
        if (this.empty) break
        this.again = false
        more = await this.means.gate(() => this.readPage())
      }
    } catch (error) {
      more = true
      this.tryLater(error, () => {
        this.wake()
      })
    } finally {
      this.reading = false
      if (this.empty && (more || this.again)) this.missed = true
    }
  }

  /** @param full whether there is as much to tell already as is read at once */
  private pause_ms(full: boolean): number {
    return Math.min(full ? FULL_PAUSE_MS : Infinity, this.means.pace.pause_ms())
  }

  /** One reading for all who stand at the cursor. @returns whether there is more */
  private async readPage(): Promise<boolean> {
    const known = [...this.entries]
    const current = known.filter(({ cursor }) => cursor === this.cursor)
    const { viewers, of } = distinct(current.length > 0 ? current : known.slice(0, 1))
    if (viewers.length === 0) return false
    const from = this.cursor
    // Where nobody stands at the cursor only the head is asked for: there are no numbers after the largest.
    const nothing = current.length === 0
    const page = await changesForMany(
      this.means.db,
      viewers,
      this.session_id,
      nothing ? Number.MAX_SAFE_INTEGER : (from as number),
      nothing ? Number.MAX_SAFE_INTEGER : (from as number) + PAGE
    )
    if (page === undefined) {
      // Whoever comes now has to be told the same.
      this.cursor = undefined
      for (const entry of [...this.entries]) this.means.end(entry, 'session_gone')
      return false
    }
    this.cursor = nothing ? page.head : page.cursor
    this.head = page.head
    this.is_active = page.is_active
    if (this.cursor !== from) {
      for (const entry of current) {
        const reason = this.means.refused(entry)
        // Where memory cannot tell, it falls behind, and is asked about there.
        if (reason === false)
          void this.tell(entry, page.changesOf(of.get(entry) as number), page.cursor, page.cursor < page.head)
        else if (reason !== undefined) this.means.end(entry, reason)
      }
    }
    const more = this.cursor < page.head
    // A cursor beyond the end of a session that was read to its end after it came.
    if (!more) for (const entry of known) entry.cursor = Math.min(entry.cursor, this.cursor)
    for (const entry of [...this.entries]) {
      if (entry.cursor < this.cursor) void this.catchUp(entry)
      else if (entry.cursor > this.cursor) this.again = true
    }
    return more
  }

  private tell(
    entry: Entry,
    changes: Parameters<Follower['deliver']>[0],
    cursor: number,
    more: boolean
  ): void | Promise<void> {
    if (!entry.open) return
    entry.cursor = cursor
    this.means.pace.spent(changes.length === 0 ? 0 : (entry.follower.price ?? 1))
    try {
      return entry.follower.deliver(changes, cursor, more)
    } catch (error) {
      this.means.onFault(error)
      entry.leave()
    }
  }

  /** Pages that are about to be read, by the place after which they are, and who is there. */
  private readonly asked = new Map<number, { entries: Entry[]; page: ReturnType<FollowedSession['readAfter']> }>()

  /**
   * The page after a place, in one reading for all who have come there by the time it begins: those who wait come back
   * together.
   */
  private async pageAfter(entry: Entry): Promise<{ changes: readonly Change[]; cursor: number } | undefined> {
    let asked = this.asked.get(entry.cursor)
    if (asked === undefined) {
      const entries: Entry[] = []
      // One who waits for whatever comes has had something a moment ago, and would take a call's work again at once.
      const { takes } = entry.follower
      const full = takes !== undefined && (this.cursor as number) - entry.cursor >= Math.max(PAGE_LEAST, takes)
      const pause_ms = takes === undefined ? 0 : this.pause_ms(full)
      asked = { entries, page: this.readAfter(entry.cursor, entries, pause_ms) }
      this.asked.set(entry.cursor, asked)
    }
    asked.entries.push(entry)
    const page = await asked.page
    return page && { changes: page.changesOf(entry), cursor: page.cursor }
  }

  private async readAfter(
    cursor: number,
    entries: Entry[],
    pause_ms: number
  ): Promise<{ changesOf: (entry: Entry) => readonly Change[]; cursor: number } | undefined> {
    if (pause_ms > 0)
      await new Promise(resolve => {
        setTimeout(resolve, pause_ms).unref()
      })
    return this.means.gate(async () => {
      // What has come in by now is looked at first.
      await new Promise(resolve => {
        setImmediate(resolve)
      })
      this.asked.delete(cursor)
      if (this.cursor === undefined) return undefined
      const { viewers, of } = distinct(entries)
      const size = Math.min(PAGE, Math.max(PAGE_LEAST, ...entries.map(({ follower }) => follower.takes ?? PAGE)))
      const page = await changesForMany(
        this.means.db,
        viewers,
        this.session_id,
        cursor,
        Math.min(this.cursor, cursor + size)
      )
      return page && { changesOf: entry => page.changesOf(of.get(entry) as number), cursor: page.cursor }
    })
  }

  /** Brings one up to the others, page by page. */
  private async catchUp(entry: Entry): Promise<void> {
    if (entry.behind) return
    entry.behind = true
    try {
      while (entry.open && entry.cursor < (this.cursor as number)) {
        const page = await this.pageAfter(entry)
        if (page === undefined) return this.means.end(entry, 'session_gone')
        const reason = await this.means.ended(entry.viewer)
        if (reason !== false) return this.means.end(entry, reason)
        await this.tell(entry, page.changes, page.cursor, page.cursor < this.head)
      }
    } catch (error) {
      this.tryLater(error, () => {
        for (const each of [...this.entries]) if (each.cursor < (this.cursor as number)) void this.catchUp(each)
      })
    } finally {
      entry.behind = false
    }
  }

  private tryLater(error: unknown, work: () => void): void {
    if (this.empty) return
    this.means.onFault(error)
    clearTimeout(this.retry)
    this.retry = setTimeout(() => {
      this.retry = undefined
      work()
      this.wake()
    }, RETRY_MS).unref()
  }
}
