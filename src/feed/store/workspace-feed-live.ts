import type { Agent } from '../../kernel/agent.js'
import type { Events } from '../../kernel/events.js'
import { createSemaphore } from '../../kernel/semaphore.js'
import type { EndReason, Following } from '../live.js'
import { encodeFeedCursor, type FeedCursor } from '../feed-cursor.js'
import { knownEnd } from '../../agents/rights.js'
import type { Tokens } from '../../agents/verifiers.js'
import { type Entry, FollowedWorkspace, type WorkspaceFollower } from './followed-workspace.js'
import { inWorkspace, type Unscoped } from '../../postgres/scope.js'

/** How often the rights of those who follow are looked at. */
const CHECK_MS = 500

export interface FollowingWorkspace extends Following {
  /** Where the follower stands, if that lies beyond what it was told last: then nothing between the two was for it. */
  moved: () => string | undefined
}

export interface WorkspaceLive {
  follow: (viewer: Agent, from: FeedCursor, origin: string, follower: WorkspaceFollower) => FollowingWorkspace
  counts: () => { workspaces: number; followers: number }
}

export interface WorkspaceLiveOptions {
  db: Unscoped
  events: Events
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'>
  stopping: AbortSignal
  /**
   * How many readings of those who catch up may be under way at once, so that following leaves connections to calls.
   */
  readings_max: number
  onFault: (error: unknown) => void
}

/** Following all sessions of a workspace: per workspace and replica one place, one reading for all who stand at it. */
export function followWorkspaces({
  db,
  events,
  tokens,
  stopping,
  readings_max,
  onFault
}: WorkspaceLiveOptions): WorkspaceLive {
  const workspaces = new Map<string, FollowedWorkspace>()
  const entries = new Set<Entry>()
  const gate = createSemaphore(readings_max)
  let clock: NodeJS.Timeout | undefined

  function end(entry: Entry, reason: EndReason): void {
    if (!entry.open) return
    entry.leave()
    entry.follower.ended(reason)
  }

  function check(): void {
    for (const entry of [...entries]) {
      const reason = knownEnd(entry.viewer, tokens)
      if (reason !== false && reason !== undefined) end(entry, reason)
    }
  }

  stopping.addEventListener(
    'abort',
    () => {
      for (const entry of [...entries]) end(entry, 'stopping')
    },
    { once: true }
  )

  return {
    follow(viewer, from, origin, follower) {
      const workspace =
        workspaces.get(viewer.workspace) ??
        new FollowedWorkspace(
          { db: inWorkspace(db, viewer.workspace), events, tokens, gate, end, onFault },
          viewer.workspace
        )
      workspaces.set(viewer.workspace, workspace)
      const entry: Entry = {
        viewer,
        follower,
        origin,
        place: from,
        open: true,
        met: false,
        behind: false,
        moved: false,
        leave() {
          if (!entry.open) return
          entry.open = false
          entries.delete(entry)
          workspace.remove(entry)
          if (workspace.empty && workspaces.get(viewer.workspace) === workspace) workspaces.delete(viewer.workspace)
          if (entries.size === 0) clock = void clearInterval(clock)
        }
      }
      entries.add(entry)
      clock ??= setInterval(check, CHECK_MS).unref()
      workspace.add(entry)
      // Not before the caller holds what closes it.
      if (stopping.aborted)
        queueMicrotask(() => {
          end(entry, 'stopping')
        })
      return {
        close: entry.leave,
        moved() {
          if (!entry.moved || entry.place.part !== undefined) return undefined
          entry.moved = false
          return encodeFeedCursor(origin, entry.place)
        }
      }
    },
    counts: () => ({ workspaces: workspaces.size, followers: entries.size })
  }
}
