import type { Agent } from '../kernel/agent.js'
import type { Events } from '../kernel/events.js'
import type { Semaphore } from '../kernel/semaphore.js'
import type { Tokens } from '../agents/verifiers.js'
import { knownEnd, rightsEnd } from '../agents/rights.js'
import type { Unscoped } from '../postgres/scope.js'
import { FollowedFeed } from './followed-feed.js'
import type { EndReason, Follower, Following } from './live.js'
import type { Pace } from './pace.js'
import type { Entry, Feed, Page } from './paged-feed.js'

/** How often the rights of all followers are looked at; every second time, `tick` is called. */
const CHECK_MS = 500

export interface FollowOptions {
  db: Unscoped
  events: Events
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'>
  /** Ends all followings when it is aborted. */
  stopping: AbortSignal
  /** Bounds the readings at one time, of all feeds together, so that they leave connections of the pool to calls. */
  readings: Semaphore
  /** Bounds the deliveries, of all feeds together. */
  pace: Pace
  onFault: (error: unknown) => void
}

/** All followers of one kind of feed on this replica. */
export class Followers<Cursor, Change, P extends Page<Cursor, Change> = Page<Cursor, Change>> {
  private readonly feeds = new Map<string, FollowedFeed<Cursor, Change, P>>()
  private readonly entries = new Set<Entry<Cursor, Change>>()
  private clock: NodeJS.Timeout | undefined
  private checks = 0

  constructor(private readonly options: FollowOptions) {
    options.stopping.addEventListener(
      'abort',
      () => {
        for (const entry of [...this.entries]) this.end(entry, 'stopping')
      },
      { once: true }
    )
  }

  /** @param feed made where nobody follows what has this key yet */
  follow(
    key: string,
    feed: () => Feed<Cursor, Change, P>,
    viewer: Agent,
    cursor: Cursor,
    follower: Follower<Cursor, Change>
  ): Following {
    const followed = this.feeds.get(key) ?? this.open(feed())
    this.feeds.set(key, followed)
    const entry: Entry<Cursor, Change> = {
      viewer,
      follower,
      cursor,
      open: true,
      catching_up: false,
      leave: () => {
        if (!entry.open) return
        entry.open = false
        this.entries.delete(entry)
        followed.remove(entry, () => this.feeds.delete(key))
        if (this.entries.size === 0) this.clock = void clearInterval(this.clock)
      }
    }
    this.entries.add(entry)
    this.clock ??= setInterval(() => {
      this.check()
    }, CHECK_MS).unref()
    followed.add(entry)
    // Only after the caller has got `close`.
    if (this.options.stopping.aborted)
      queueMicrotask(() => {
        this.end(entry, 'stopping')
      })
    return { close: entry.leave }
  }

  /** The last page of a feed that is followed here, or was a second ago, if nothing is known to come after it. */
  position(key: string): P | undefined {
    return this.feeds.get(key)?.position
  }

  counts(): { feeds: number; followers: number } {
    return { feeds: [...this.feeds.values()].filter(({ empty }) => !empty).length, followers: this.entries.size }
  }

  private open(feed: Feed<Cursor, Change, P>): FollowedFeed<Cursor, Change, P> {
    const { tokens } = this.options
    return new FollowedFeed(feed, {
      ...this.options,
      end: (entry, reason) => {
        this.end(entry, reason)
      },
      knownEnd: viewer => knownEnd(viewer, tokens),
      rightsEnd: viewer => rightsEnd(viewer, tokens)
    })
  }

  private end(entry: Entry<Cursor, Change>, reason: EndReason): void {
    if (!entry.open) return
    entry.leave()
    entry.follower.ended(reason)
  }

  private check(): void {
    this.checks++
    for (const entry of [...this.entries]) {
      const reason = knownEnd(entry.viewer, this.options.tokens)
      if (reason !== false && reason !== undefined) this.end(entry, reason)
      else if (this.checks % 2 === 0 && entry.open) entry.follower.tick?.()
    }
  }
}
