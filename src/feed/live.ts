import type { Change } from './store/feed.js'
import type { Agent } from '../kernel/agent.js'
import type { RightsEnd } from '../agents/rights.js'

/** Why no more changes come. `stopping`: this replica stops; another replica goes on from the cursor. */
export type EndReason = RightsEnd | 'session_gone' | 'stopping'

/** One who is told the changes of a feed as they come. */
export interface Follower<Cursor, Change> {
  /** Delivery cost relative to a wait response; default 1. */
  deliveryCost?: number
  /** How many changes the follower can use while it is behind; default all. */
  maxChanges?: number
  /**
   * Whether changes that come fast may be gathered for it, for less than a tenth of a second: it is read as a stream.
   */
  gathers?: boolean
  /**
   * Takes changes in the order of the feed: each lies after the follower's cursor, and comes once. The follower has
   * been told everything up to `cursor`, also when it may see nothing of it. `more`: further changes exist and come
   * next.
   *
   * While the follower is behind, the next delivery waits for the promise that this returns. A follower that has caught
   * up gets its deliveries without that, together with the others: one that is slow must cut itself off.
   */
  deliver: (changes: readonly Change[], cursor: Cursor, more: boolean) => void | Promise<void>
  /** Called once; nothing comes after it. Not called after `close`. */
  ended: (reason: EndReason) => void
  /** Called about once a second. */
  tick?: () => void
}

export interface Following {
  /** Ends it and frees everything; harmless twice. */
  close: () => void
}

/** Follows sessions on this replica. */
export interface Live {
  /**
   * Follows from `after_seq` on. A cursor beyond the session's end becomes the end. Between readings no database
   * connection is held.
   */
  follow: (session_id: string, viewer: Agent, after_seq: number, follower: Follower<number, Change>) => Following
  /**
   * The cursor of those who follow the session here, or did a second ago. A caller who has read up to it, or nearly,
   * can follow from its own cursor without a query; the next reading serves it with the others. undefined: nobody
   * follows.
   */
  position: (workspace: string, session_id: string) => { cursor: number; is_active: boolean } | undefined
  /** What is held at the moment. */
  counts: () => { sessions: number; followers: number }
}
