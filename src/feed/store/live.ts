import { mayEnter } from '../../kernel/agent.js'
import { type Events, sessionTopic } from '../../kernel/events.js'
import { createSemaphore } from '../../kernel/semaphore.js'
import type { EndReason, Follower, Following, Live } from '../live.js'
import { createPace } from '../pace.js'
import { knownEnd, rightsEnd } from '../../agents/rights.js'
import type { Tokens } from '../../agents/verifiers.js'
import { type Entry, FollowedSession } from './followed-session.js'
import { inWorkspace, type Unscoped } from '../../postgres/scope.js'

/** How often the rights of those who wait are looked at, and every second time their clock ticks. */
const CHECK_MS = 500
/**
 * How much telling followers may take of a replica, as what is answered to one that then calls again. Beyond it
 * messages are gathered, up to so many milliseconds: each is told then with what came meanwhile, for the same price.
 * (Measured with 2000 waiting and 2000 streams, one in ten of them on sessions that are written to as fast as they can
 * be: told at once they took half of the write rate.)
 */
const TOLD_PER_SECOND = 500
const TOLD_AT_ONCE = 200
const GATHERED_MAX_MS = 500

export interface LiveOptions {
  db: Unscoped
  events: Events
  tokens: Pick<Tokens, 'revoked' | 'knownRevoked'>
  stopping: AbortSignal
  /** How many readings may be under way at once, so that following leaves connections to calls. */
  readings_max: number
  onFault: (error: unknown) => void
}

/**
 * Following sessions: per session one cursor, one reading for all who stand at it, and no connection held between
 * readings.
 */
export function followSessions({ db, events, tokens, stopping, readings_max, onFault }: LiveOptions): Live {
  const sessions = new Map<string, FollowedSession>()
  const entries = new Set<Entry>()
  const gate = createSemaphore(readings_max)
  const pace = createPace(TOLD_PER_SECOND, TOLD_AT_ONCE, GATHERED_MAX_MS)
  let clock: NodeJS.Timeout | undefined
  let ticks = 0

  function end(entry: Entry, reason: EndReason): void {
    if (!entry.open) return
    entry.leave()
    entry.follower.ended(reason)
  }

  const refused = ({ viewer }: Entry) => knownEnd(viewer, tokens)

  function check(): void {
    ticks++
    for (const entry of [...entries]) {
      const reason = refused(entry)
      if (reason !== false && reason !== undefined) end(entry, reason)
      else if (ticks % 2 === 0 && entry.open) entry.follower.tick?.()
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
    follow(session_id, viewer, after_seq, follower) {
      if (!mayEnter(viewer, session_id)) return notThere(follower)
      const key = sessionTopic(viewer.workspace, session_id)
      const session =
        sessions.get(key) ??
        new FollowedSession(
          {
            db: inWorkspace(db, viewer.workspace),
            events,
            gate,
            pace,
            end,
            refused,
            ended: viewer => rightsEnd(viewer, tokens),
            onFault
          },
          viewer.workspace,
          session_id
        )
      sessions.set(key, session)
      const entry: Entry = {
        viewer,
        follower,
        cursor: after_seq,
        open: true,
        behind: false,
        leave() {
          if (!entry.open) return
          entry.open = false
          entries.delete(entry)
          session.remove(entry, () => {
            sessions.delete(key)
          })
          if (entries.size === 0) clock = void clearInterval(clock)
        }
      }
      entries.add(entry)
      clock ??= setInterval(check, CHECK_MS).unref()
      session.add(entry)
      // Not before the caller holds what closes it.
      if (stopping.aborted)
        queueMicrotask(() => {
          end(entry, 'stopping')
        })
      return { close: entry.leave }
    },
    position: (workspace, session_id) => sessions.get(sessionTopic(workspace, session_id))?.standing,
    counts: () => ({
      sessions: [...sessions.values()].filter(session => !session.empty).length,
      followers: entries.size
    })
  }
}

/** What is not the viewer's to see ends as what is gone does, and not before the caller holds what closes it. */
function notThere({ ended }: Follower): Following {
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
