import type { Agent } from '../kernel/agent.js'
import type { Topic } from '../kernel/events.js'
import { Followers, type FollowOptions } from './followers.js'
import type { Follower, Following } from './live.js'
import type { Feed } from './paged-feed.js'

/** What followers are told here: a hint came, and what they wait for may be there. */
type Hint = 'something may be there'
const HINTS: readonly Hint[] = ['something may be there']

/** How many hints had come on each topic; undefined: nobody followed it, so it is not known. */
export type HintCounts = ReadonlyArray<number | undefined>

export interface WakeUps {
  counts: (viewer: Agent) => HintCounts
  /** @param before what was counted before the caller looked: `missed` says whether a hint may have come since */
  follow: (viewer: Agent, follower: Follower<number, Hint>, before: HintCounts) => Following & { missed: boolean }
}

export interface WakeUpOptions extends FollowOptions {
  /** A hint on one of these says that what the viewer waits for may be there. */
  topicsOf: (viewer: Agent) => readonly Topic[]
}

/**
 * The hints on a topic. Its cursor counts them. Nothing is read: to try costs those who wait one statement together,
 * and so would looking first.
 */
function hintsOn(topic: Topic): Feed<number, Hint> {
  let count = 0
  let followed = false
  return {
    topic,
    knows: () => false,
    size: { most: 1, least: 1 },
    distance: (from, to) => to - from,
    keyOf: cursor => cursor,
    async end() {
      // A later call means that nobody stands at the last hint. It counts as a hint, so that everybody tries once more:
      // too often is better than never.
      if (followed) count++
      followed = true
      return { cursor: count, waiting: 0 }
    },
    async read(_viewers, _from, to) {
      return { cursor: to ?? ++count, waiting: 0, changesOf: () => HINTS }
    }
  }
}

/** Wakes those who wait for something which the hint does not say. */
export function createWakeUps({ topicsOf, ...options }: WakeUpOptions): WakeUps {
  // Its readings ask the database nothing, so they wait for no others.
  const followers = new Followers<number, Hint>({ ...options, readings: work => work() })
  const countOn = (topic: Topic) => followers.position(topic)?.cursor
  return {
    counts: viewer => topicsOf(viewer).map(countOn),
    follow(viewer, follower, before) {
      let missed = false
      const followings = topicsOf(viewer).map((topic, i) => {
        const count = countOn(topic)
        if (count === undefined || count !== before[i]) missed = true
        // One of them tells how the wait goes on.
        const one = i === 0 ? follower : { ...follower, tick: undefined }
        return followers.follow(topic, () => hintsOn(topic), viewer, count ?? 0, one)
      })
      return {
        missed,
        close() {
          for (const following of followings) following.close()
        }
      }
    }
  }
}
