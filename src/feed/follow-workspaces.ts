import type { Agent } from '../kernel/agent.js'
import { workspaceTopic } from '../kernel/events.js'
import { inWorkspace } from '../postgres/scope.js'
import type { Db } from '../postgres/schema.js'
import { compareSnapshots, encodeFeedCursor, type FeedCursor } from './feed-cursor.js'
import { Followers, type FollowOptions } from './followers.js'
import type { Follower, Following } from './live.js'
import type { Feed } from './paged-feed.js'
import type { Change } from './store/feed.js'
import { eachOnce } from './store/changes-per-viewer.js'
import { snapshotNow } from './store/cursor-snapshots.js'
import { type Grown, grown, readSeqRanges, type SeqRange } from './store/workspace-feed.js'

/** How many changes a page has at most. */
const PAGE = 250

/** A change of some session. */
export interface WorkspaceChange {
  session_id: string
  change: Change
  /** The cursor of a reader who has been told of it. */
  cursor: FeedCursor
}

/** A cursor, and the pages that are known to follow it: for a reader far behind, they are looked for only once. */
interface Position extends FeedCursor {
  plan?: Plan
}

interface Plan {
  until: string
  pages: readonly SeqRange[][]
  /** The page that comes next. */
  next: number
}

export interface WorkspaceLive {
  /** Follows all sessions of the viewer's workspace. */
  follow: (viewer: Agent, from: FeedCursor, follower: Follower<FeedCursor, WorkspaceChange>) => Following
}

/** The feed of all sessions of a workspace: a cursor is a snapshot, or a point in what two snapshots differ by. */
function workspaceFeed(db: Db, workspace: string): Feed<Position, WorkspaceChange> {
  async function plan({ since, part }: Position, to: Position | undefined): Promise<Plan> {
    const { until, sessions } = await grown(db, workspace, since, part?.until ?? to?.since)
    return { until, pages: [...pagesOf(sessions, part)], next: 0 }
  }

  return {
    topic: workspaceTopic(workspace),
    // A workspace has no version.
    knows: () => false,
    size: { most: PAGE, least: PAGE },
    distance({ since, part }, to) {
      if (part === undefined && to.part === undefined && since === to.since) return 0
      return compareSnapshots(part?.until ?? since, to.since) <= 0 ? 1 : -1
    },
    keyOf: cursor => encodeFeedCursor('', cursor),
    end: async () => ({ cursor: { since: await snapshotNow(db, workspace) }, waiting: 0 }),
    async read(viewers, from, to) {
      const { until, pages, next } = from.plan ?? (await plan(from, to))
      const ranges = pages[next]
      if (ranges === undefined) return { cursor: { since: until }, waiting: 0 }
      const read = await readSeqRanges(db, viewers, ranges)
      const { since } = from
      const last = ranges.at(-1) as SeqRange
      const partial = next + 1 < pages.length
      const changesOf = eachOnce((viewer): readonly WorkspaceChange[] =>
        read.flatMap(({ range: { session_id }, changesOf }) =>
          changesOf(viewer).map(change => ({
            session_id,
            change,
            cursor: { since, part: { until, session_id, seq: change.seq } }
          }))
        )
      )
      return {
        cursor: partial
          ? {
              since,
              part: { until, session_id: last.session_id, seq: last.until },
              plan: { until, pages, next: next + 1 }
            }
          : { since: until },
        waiting: 0,
        partial,
        changesOf
      }
    }
  }
}

export function followWorkspaces(options: FollowOptions): WorkspaceLive {
  const followers = new Followers<Position, WorkspaceChange>(options)
  return {
    follow(viewer, from, follower) {
      const { workspace } = viewer
      const feed = () => workspaceFeed(inWorkspace(options.db, workspace), workspace)
      return followers.follow(workspace, feed, viewer, from, follower)
    }
  }
}

/** Cuts what has grown, after a point in it, into pages that one reading can take. */
export function* pagesOf(sessions: readonly Grown[], from?: FeedCursor['part']): Generator<SeqRange[]> {
  let page: SeqRange[] = []
  let room = PAGE
  for (const { session_id, first, last } of sessions) {
    if (from !== undefined && session_id < from.session_id) continue
    let after = from?.session_id === session_id ? Math.max(first - 1, from.seq) : first - 1
    while (after < last) {
      const until = Math.min(last, after + room)
      page.push({ session_id, after, until })
      room -= until - after
      after = until
      if (room > 0) continue
      yield page
      page = []
      room = PAGE
    }
  }
  if (page.length > 0) yield page
}
