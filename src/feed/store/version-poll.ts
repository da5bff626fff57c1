import { type Hub, partsOf } from '../../kernel/events.js'
import type { Db } from '../../postgres/schema.js'
import { versionsOf } from './topics.js'

const WITHOUT_VERSION = new Set(['workspace', 'tasks', 'leases'])

/** Asks the database regularly what has changed of the topics that this replica listens to. */
export class VersionPoll {
  private timer: NodeJS.Timeout | undefined
  private polling: Promise<void> | undefined
  private last = -Infinity
  private closed = false

  /** @param every_ms milliseconds from one poll to the next, asked each time */
  constructor(
    private readonly hub: Hub,
    private readonly db: Db,
    private readonly every_ms: () => number
  ) {
    this.schedule()
  }

  /** Plans the next poll; call it again when `every_ms` has become another. */
  schedule(): void {
    if (this.closed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(
      () => {
        this.last = performance.now()
        this.polling = this.poll().finally(() => {
          this.polling = undefined
          this.schedule()
        })
      },
      Math.max(0, this.last + this.every_ms() - performance.now())
    ).unref()
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    await this.polling
  }

  private async poll(): Promise<void> {
    const topics = this.hub.topics()
    if (topics.length === 0) return
    // These have no version that is cheap to read: their listeners are told each time.
    const always = topics.filter(topic => WITHOUT_VERSION.has(partsOf(topic).kind))
    if (always.length > 0) this.hub.heard(always)
    try {
      this.hub.seen(await versionsOf(this.db, topics))
    } catch {
      // The database does not answer; the next poll tells.
    }
  }
}
