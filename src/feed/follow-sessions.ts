import { mayEnter } from '../kernel/agent.js'
import { sessionTopic } from '../kernel/events.js'
import { inWorkspace } from '../postgres/scope.js'
import type { Db } from '../postgres/schema.js'
import { Followers, type FollowOptions } from './followers.js'
import type { Follower, Following, Live } from './live.js'
import type { Feed, Page } from './paged-feed.js'
import { headOf } from '../sessions/store/sessions.js'
import { type Change, changesForMany } from './store/feed.js'

interface SessionPage extends Page<number, Change> {
  is_active: boolean
}

/** A session's feed: a cursor is a seq. */
function sessionFeed(db: Db, workspace: string, session_id: string): Feed<number, Change, SessionPage> {
  return {
    topic: sessionTopic(workspace, session_id),
    // A session's version is its last_seq, or '' when it is gone.
    knows: (version, cursor) => version !== '' && Number(version) <= cursor,
    size: { most: 250, least: 50 },
    distance: (from, to) => to - from,
    keyOf: cursor => cursor,
    async end() {
      const head = await headOf(db, workspace, session_id)
      return head && { cursor: head.last_seq, waiting: 0, is_active: head.is_active }
    },
    async read(viewers, from, to, size) {
      const page = await changesForMany(db, viewers, session_id, from, Math.min(to ?? Infinity, from + size))
      if (page === undefined) return undefined
      const { cursor, head, is_active, changesOf } = page
      return { cursor, waiting: Math.max(0, head - cursor), is_active, ...(cursor > from && { changesOf }) }
    }
  }
}

export function followSessions(options: FollowOptions): Live {
  const followers = new Followers<number, Change, SessionPage>(options)
  return {
    follow(session_id, viewer, after_seq, follower) {
      if (!mayEnter(viewer, session_id)) return notThere(follower)
      const { workspace } = viewer
      return followers.follow(
        sessionTopic(workspace, session_id),
        () => sessionFeed(inWorkspace(options.db, workspace), workspace, session_id),
        viewer,
        after_seq,
        follower
      )
    },
    position: (workspace, session_id) => followers.position(sessionTopic(workspace, session_id)),
    counts() {
      const { feeds, followers: all } = followers.counts()
      return { sessions: feeds, followers: all }
    }
  }
}

/** A session that the viewer may not enter looks like one that is gone. Ends after the caller has got `close`. */
function notThere({ ended }: Follower<number, Change>): Following {
  let open = true
  queueMicrotask(() => {
    if (open) ended('session_gone')
  })
  return {
    close() {
      open = false
    }
  }
}
