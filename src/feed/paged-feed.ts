import type { Agent } from '../kernel/agent.js'
import type { Topic } from '../kernel/events.js'
import type { Follower } from './live.js'

/** What one statement, or a few, read of a feed for several viewers. */
export interface Page<Cursor, Change> {
  /** The cursor of a follower who has been told the page. */
  cursor: Cursor
  /** How many changes are known to come after it. */
  waiting: number
  /** The cursor lies in the middle of what one look at the feed has found: the next page is read at once. */
  partial?: boolean
  /** What the viewer with that number may see; equal lists are the same list. Absent: there is no change for anybody. */
  changesOf?: (viewer: number) => readonly Change[]
}

/** What can be followed. An object is one feed: a session's, say. */
export interface Feed<Cursor, Change, P extends Page<Cursor, Change> = Page<Cursor, Change>> {
  /** Hints on this topic say that the feed may have grown. */
  topic: Topic
  /** Whether a reader at the cursor knows the version that came with a hint. */
  knows: (version: string, cursor: Cursor) => boolean
  /** How many changes a page takes in: `least` where the followers want few, since some may not be for them. */
  size: { most: number; least: number }
  /** How many changes lie between two cursors, if known, else 1. 0: they are equal. Below 0: `to` comes before `from`. */
  distance: (from: Cursor, to: Cursor) => number
  /** Equal for equal cursors. */
  keyOf: (cursor: Cursor) => string | number
  /** An empty page at the end of the feed. undefined: the feed does not exist (any more). */
  end: () => Promise<P | undefined>
  /** The page after `from`, which goes no further than `to`; without `to`, no further than the end. */
  read: (viewers: readonly Agent[], from: Cursor, to: Cursor | undefined, size: number) => Promise<P | undefined>
}

/** A follower in its feed. */
export interface Entry<Cursor, Change> {
  viewer: Agent
  follower: Follower<Cursor, Change>
  cursor: Cursor
  open: boolean
  catching_up: boolean
  /** Ends the following without telling the follower. */
  leave: () => void
}
