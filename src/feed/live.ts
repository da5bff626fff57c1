import type { Change } from './store/feed.js'
import type { Agent } from '../kernel/agent.js'
import type { RightsEnd } from '../agents/rights.js'

/** Following a session's feed, on this replica, as it grows: one reading of a session serves all who follow it. */

/**
 * Why no more comes. `session_gone`: it is not there (any more). `stopping`: this replica goes; another carries on from
 * the cursor.
 */
export type EndReason = RightsEnd | 'session_gone' | 'stopping'

export interface Follower {
  /** What telling it costs beside answering one who then calls again, which is 1, as if left out. */
  price?: number
  /** How many changes it can do with when it is behind; left out: all. */
  takes?: number
  /**
   * Changes in the order of their seq, each after the cursor and each once; with `cursor`, the seq up to which the
   * follower has now been told everything, also when nothing of it was for this viewer. While it is behind, what this
   * returns is awaited before the next; once it has caught up it is not, and must not be needed: whoever is slow cuts
   * itself off. `more`: what follows has been written already, and comes next.
   */
  deliver: (changes: readonly Change[], cursor: number, more: boolean) => void | Promise<void>
  /** Once, and nothing after it. Not called after `close`. */
  ended: (reason: EndReason) => void
  /** About once a second, from the one clock that all share. */
  tick?: () => void
}

export interface Following {
  /** Ends it and frees everything; harmless twice. */
  close: () => void
}

export interface Live {
  /**
   * Follows from `after_seq` on, which is the session's head where it lies beyond it. Holds no database connection
   * between readings.
   */
  follow: (session_id: string, viewer: Agent, after_seq: number, follower: Follower) => Following
  /**
   * Where those stand who follow a session here, or did a moment ago: whoever has read so far, or nearly, need not ask
   * the database, but may follow from there, and is told with the others what comes next. undefined: nobody does.
   */
  position: (workspace: string, session_id: string) => { cursor: number; is_active: boolean } | undefined
  /** What is held at the moment; all nought when nobody follows. */
  counts: () => { sessions: number; followers: number }
}
