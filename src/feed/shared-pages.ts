import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Semaphore } from '../kernel/semaphore.js'
import { distinctViewers, type Entry, type Feed, type Page } from './paged-feed.js'

interface SharedPage<Cursor, Change> {
  page: Page<Cursor, Change>
  numberOf: (entry: Entry<Cursor, Change>) => number
}

/**
 * Reads pages for followers that are behind. Those who stand at one cursor share a page: callers that wait get an
 * answer together, and come back together. (40 such callers need at most 15 statements: test/feed/follow.long.test.ts.)
 */
export class SharedPages<Cursor, Change, P extends Page<Cursor, Change>> {
  /** Pages that will be read, by the cursor that they come after. */
  private readonly asked = new Map<
    string | number,
    { entries: Array<Entry<Cursor, Change>>; page: Promise<SharedPage<Cursor, Change> | undefined> }
  >()

  /**
   * @param end the cursor that nobody is brought beyond; undefined when the feed is gone
   * @param pause waits as long as the replica's pace demands; `full`: the page is as large as it can be already
   */
  constructor(
    private readonly feed: Feed<Cursor, Change, P>,
    private readonly readings: Semaphore,
    private readonly means: { end: () => Cursor | undefined; pause: (full: boolean) => Promise<void> }
  ) {}

  /** The page after an entry's cursor; undefined when the feed is gone. */
  after(entry: Entry<Cursor, Change>): Promise<SharedPage<Cursor, Change> | undefined> {
    const key = this.feed.keyOf(entry.cursor)
    let asked = this.asked.get(key)
    if (asked === undefined) {
      const entries: Array<Entry<Cursor, Change>> = []
      asked = { entries, page: this.read(entry, entries, key) }
      this.asked.set(key, asked)
    }
    asked.entries.push(entry)
    return asked.page
  }

  /** @param entries grows until the reading begins */
  private async read(
    { cursor, follower }: Entry<Cursor, Change>,
    entries: ReadonlyArray<Entry<Cursor, Change>>,
    key: string | number
  ): Promise<SharedPage<Cursor, Change> | undefined> {
    const { most, least } = this.feed.size
    // A follower with a maximum is a call that waits: its answer ends the call, and the next call costs work again.
    if (follower.maxChanges !== undefined) {
      const end = this.means.end()
      const waiting = end === undefined ? 0 : this.feed.distance(cursor, end)
      await this.means.pause(waiting >= Math.max(least, follower.maxChanges))
    }
    return this.readings(async () => {
      // Requests that have arrived by now may stand at the same cursor.
      await nextTurn()
      this.asked.delete(key)
      const end = this.means.end()
      if (end === undefined) return undefined
      const { viewers, numberOf } = distinctViewers(entries)
      const size = Math.min(most, Math.max(least, ...entries.map(({ follower }) => follower.maxChanges ?? most)))
      const page = await this.feed.read(viewers, cursor, end, size)
      return page && { page, numberOf }
    })
  }
}
