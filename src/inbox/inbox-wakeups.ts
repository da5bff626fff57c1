import { addressesOf } from '../kernel/addresses.js'
import { inboxTopic } from '../kernel/events.js'
import { Followers, type FollowOptions } from '../feed/followers.js'
import type { Feed } from '../feed/paged-feed.js'
import type { Told, WakeUps } from '../feed/wait-until.js'

const TOLD: readonly Told[] = ['something may be there']

/** What may have come for one name. The cursor counts how often something may have. */
function feedOf(workspace: string, name: string): Feed<number, Told> {
  const changesOf = () => TOLD
  return {
    topic: inboxTopic(workspace, name),
    knows: () => false,
    size: { most: 1, least: 1 },
    distance: (from, to) => to - from,
    keyOf: cursor => cursor,
    end: async () => ({ cursor: 0, waiting: 0 }),
    read: async (_viewers, from, to) => ({ cursor: to ?? from + 1, waiting: 0, changesOf })
  }
}

/** Wakes those who wait for their inbox: only those in whose inbox something came. */
export function createInboxWakeUps(options: FollowOptions): WakeUps {
  const followers = new Followers<number, Told>(options)
  return {
    follow(viewer, follower) {
      const { workspace } = viewer
      const followings = addressesOf(viewer).map((name, i) => {
        const key = `${workspace}\n${name}`
        const cursor = followers.position(key)?.cursor ?? 0
        // One of the two tells how the wait goes on.
        const one = i === 0 ? follower : { ...follower, tick: undefined }
        return followers.follow(key, () => feedOf(workspace, name), viewer, cursor, one)
      })
      return {
        close() {
          for (const following of followings) following.close()
        }
      }
    }
  }
}
