import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from '../kernel/agent.js'
import type { Events } from '../kernel/events.js'
import type { Semaphore } from '../kernel/semaphore.js'
import type { EndReason } from './live.js'
import { gatheringPace, type Pace, readingCost } from './pace.js'
import { distinctViewers, type Entry, type Feed, type Page } from './paged-feed.js'
import { SharedPages } from './shared-pages.js'

/** A feed is kept so long after its last follower has left: a caller that waits comes back with its next call. */
const LINGER_MS = 1000
/** The longest pause while a whole page is there already: more time would not make the delivery larger. */
const FULL_PAUSE_MS = 200
/** How soon a reading that failed is tried again. */
const RETRY_MS = 250

/** What all feeds of a replica share. */
export interface FeedMeans<Cursor, Change> {
  events: Events
  /** Bounds the readings at one time, so that they leave connections of the pool to calls. */
  readings: Semaphore
  pace: Pace
  onFault: (error: unknown) => void
  end: (entry: Entry<Cursor, Change>, reason: EndReason) => void
  /** Whether the viewer's rights have ended, from memory alone; undefined: memory cannot tell. */
  knownEnd: (viewer: Agent) => EndReason | false | undefined
  /** The same; asks the database where memory cannot tell. */
  rightsEnd: (viewer: Agent) => Promise<EndReason | false>
}

/**
 * One feed and all who follow it here. Most followers stand at one cursor, the feed's: one reading serves all of them.
 * The others are behind; each catches up page by page, and shares the page with those who stand where it stands.
 */
export class FollowedFeed<Cursor, Change, P extends Page<Cursor, Change>> {
  private readonly entries = new Set<Entry<Cursor, Change>>()
  private readonly unsubscribe: () => void
  /**
   * The last page that was read for those who are not behind; undefined before the first, and when the feed is gone.
   */
  private last: P | undefined
  private reading = false
  private again = false
  /** Whether the feed may have grown while nobody was there to read it for. */
  private missed = false
  private retry: NodeJS.Timeout | undefined
  private lingering: NodeJS.Timeout | undefined
  private readonly gathering = gatheringPace()
  /** Ends the pause in which changes are gathered. */
  private hurry: (() => void) | undefined
  private readonly pages: SharedPages<Cursor, Change, P>

  constructor(
    private readonly feed: Feed<Cursor, Change, P>,
    private readonly means: FeedMeans<Cursor, Change>
  ) {
    this.pages = new SharedPages(feed, means.readings, {
      end: () => this.last?.cursor,
      pause: full => this.pause(full)
    })
    this.unsubscribe = means.events.subscribe(feed.topic, version => {
      if (version === undefined || this.last === undefined || !feed.knows(version, this.last.cursor)) this.wake()
    })
  }

  get empty(): boolean {
    return this.entries.size === 0
  }

  /** The last page, if nothing is known to come after it that nobody has read. */
  get position(): P | undefined {
    return this.missed ? undefined : this.last
  }

  add(entry: Entry<Cursor, Change>): void {
    clearTimeout(this.lingering)
    this.entries.add(entry)
    if (entry.follower.gathers !== true) this.hurry?.()
    const behind = this.behind(entry)
    if (behind === undefined || behind < 0 || this.missed) this.wake()
    else if (behind > 0) void this.catchUp(entry)
  }

  /** @param forget called when nobody has come back for a while */
  remove(entry: Entry<Cursor, Change>, forget: () => void): void {
    this.entries.delete(entry)
    if (!this.empty) return
    if (this.retry !== undefined) this.missed = true
    this.retry = void clearTimeout(this.retry)
    this.lingering = setTimeout(() => {
      this.unsubscribe()
      forget()
    }, LINGER_MS).unref()
  }

  /** How far an entry is behind the feed's cursor; below 0 where it is further; undefined before the first reading. */
  private behind(entry: Entry<Cursor, Change>): number | undefined {
    return this.last && this.feed.distance(entry.cursor, this.last.cursor)
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
        if (this.last !== undefined) {
          const full = this.last.waiting >= this.feed.size.most
          if (!full) await this.gather()
          await this.pause(full)
        }
        if (this.empty) break
        this.again = false
        more = await this.readNext()
      }
    } catch (error) {
      more = true
      this.tryLater(error)
    } finally {
      this.reading = false
      if (this.empty && (more || this.again)) this.missed = true
    }
  }

  /** Waits, if the feed grows fast, so that one reading and one delivery are for many changes. */
  private async gather(): Promise<void> {
    const ms = this.gathering.pause_ms()
    if (ms === 0 || [...this.entries].some(({ follower }) => follower.gathers !== true)) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms).unref()
      this.hurry = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.hurry = undefined
  }

  /** @param full whether as many changes wait as one page takes */
  private async pause(full: boolean): Promise<void> {
    const ms = Math.min(full ? FULL_PAUSE_MS : Infinity, this.means.pace.pause_ms())
    if (ms > 0) await sleep(ms, undefined, { ref: false })
  }

  /** Reads once for all who stand at the feed's cursor, and tells them. @returns whether more is known to follow */
  private async readNext(): Promise<boolean> {
    const known = [...this.entries]
    let members = known.filter(entry => this.behind(entry) === 0)
    let page: P | undefined
    do {
      // Where nobody stands at the cursor, nobody needs the changes after it: those behind read them by themselves.
      page = members.length === 0 ? await this.means.readings(() => this.feed.end()) : await this.readFor(members)
      members = members.filter(({ open }) => open)
    } while (page?.partial === true)
    this.last = page
    if (page === undefined) {
      for (const entry of [...this.entries]) this.means.end(entry, 'session_gone')
      return false
    }
    const more = page.waiting > 0
    for (const entry of [...this.entries]) {
      const behind = this.behind(entry) as number
      if (behind > 0) void this.catchUp(entry)
      // It came with a cursor beyond the end, which has been read since.
      else if (behind < 0 && !more && known.includes(entry)) entry.cursor = page.cursor
      else if (behind < 0) this.again = true
    }
    return more
  }

  /** @param members are all at one cursor; whom the page was not told is taken out */
  private async readFor(members: Array<Entry<Cursor, Change>>): Promise<P | undefined> {
    const { viewers, numberOf } = distinctViewers(members)
    const from = (members[0] as Entry<Cursor, Change>).cursor
    const page = await this.means.readings(() => this.feed.read(viewers, from, undefined, this.feed.size.most))
    if (page === undefined) return undefined
    this.gathering.spent(readingCost(Math.max(...viewers.map((_, n) => page.changesOf?.(n).length ?? 0))))
    const told = members.filter(entry => {
      const reason = entry.open ? this.means.knownEnd(entry.viewer) : undefined
      // Where memory cannot tell, the follower falls behind, and there the database is asked.
      if (reason === false) void this.tell(entry, page, numberOf(entry), page.waiting > 0 || page.partial === true)
      else if (reason !== undefined) this.means.end(entry, reason)
      return reason === false
    })
    members.splice(0, members.length, ...told)
    return page
  }

  private tell(
    entry: Entry<Cursor, Change>,
    { changesOf, cursor }: Page<Cursor, Change>,
    viewer: number,
    more: boolean
  ): void | Promise<void> {
    if (!entry.open) return
    entry.cursor = cursor
    if (changesOf === undefined) return
    const changes = changesOf(viewer)
    if (changes.length > 0) this.means.pace.spent(entry.follower.deliveryCost ?? 1)
    try {
      return entry.follower.deliver(changes, cursor, more)
    } catch (error) {
      this.means.onFault(error)
      entry.leave()
    }
  }

  /** Brings one follower to the feed's cursor, page by page. */
  private async catchUp(entry: Entry<Cursor, Change>): Promise<void> {
    if (entry.catching_up) return
    entry.catching_up = true
    try {
      while (entry.open && (this.behind(entry) ?? 0) > 0) {
        const shared = await this.pages.after(entry)
        if (shared === undefined) return this.means.end(entry, 'session_gone')
        const reason = await this.means.rightsEnd(entry.viewer)
        if (reason !== false) return this.means.end(entry, reason)
        const { page, numberOf } = shared
        const more =
          this.last !== undefined && (this.feed.distance(page.cursor, this.last.cursor) > 0 || this.last.waiting > 0)
        await this.tell(entry, page, numberOf(entry), more)
      }
    } catch (error) {
      this.tryLater(error)
    } finally {
      entry.catching_up = false
    }
  }

  private tryLater(error: unknown): void {
    if (this.empty) return
    this.means.onFault(error)
    clearTimeout(this.retry)
    this.retry = setTimeout(() => {
      this.retry = undefined
      for (const entry of [...this.entries]) if ((this.behind(entry) ?? 0) > 0) void this.catchUp(entry)
      this.wake()
    }, RETRY_MS).unref()
  }
}
