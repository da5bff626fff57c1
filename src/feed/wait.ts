import { fitting } from '../kernel/answer-size.js'
import type { MessageRow } from '../messages/store/messages.js'
import { AppError } from '../kernel/errors.js'
import type { ToolContext } from '../kernel/tool.js'
import { rightsEnded } from '../agents/rights.js'
import type { ConcurrencyLimit } from '../kernel/semaphore.js'
import type { EndReason, Live } from './live.js'
import type { Wakes } from './wakes.js'
import type { Change } from './store/feed.js'
import type { ToldTask } from './store/task-changes.js'

export interface WaitDeps {
  live: Live
  /** Bounds the calls that wait at the same time. */
  waiters: ConcurrencyLimit
  /** Aborted when this replica stops. Then all waits end with an answer that makes their clients come back. */
  stopping: AbortSignal
  wakes: Wakes
}

export interface Wait {
  session_id: string
  /** Where the reader stands. */
  cursor: number
  is_active: boolean
  limit: number
  /** How many changes the reader can use while it is behind; undefined: all. */
  maxChanges: number | undefined
  /** Of messages that have become visible, and changes of tasks. */
  wanted: (change: Told) => boolean
  /** When the call began, by performance.now(), and how long it may take, in milliseconds. */
  started: number
  total_ms: number
}

/** What an answer tells. */
export type Told = Extract<Change, { type: 'message_added' | 'task_changed' }>

export function isTold(change: Change): change is Told {
  return change.type === 'message_added' || change.type === 'task_changed'
}

export interface Waited {
  messages: MessageRow[]
  /** Absent if none has changed. */
  tasks?: ToldTask[]
  count: number
  last_seq: number
  timed_out: boolean
  has_more: boolean
  is_active: boolean
}

/** The first so many of what was found, as an answer without what it says of the wait. */
export function answerOf(found: readonly Told[], limit: number, cursor: number) {
  const page = found.slice(0, limit)
  const kept = page.slice(0, fitting(page))
  const has_more = found.length > kept.length
  const messages = kept.flatMap(change => (change.type === 'message_added' ? [change.message] : []))
  const tasks = kept.flatMap(change => (change.type === 'task_changed' ? [change.task] : []))
  return {
    messages,
    ...(tasks.length > 0 && { tasks }),
    count: messages.length,
    last_seq: has_more ? (kept.at(-1) as Told).seq : cursor,
    has_more
  }
}

/**
 * Holds a slot among the calls that wait, and nothing else, until something wanted comes, the time is up or the client
 * is gone.
 * @throws AppError as ConcurrencyLimit does; SESSION_NOT_FOUND, or what ended the reader's rights
 */
export async function wait(
  { session_id, cursor, is_active, limit, maxChanges, wanted, started, total_ms }: Wait,
  { agent, caller }: ToolContext<'read'>,
  { live, waiters, stopping, wakes }: WaitDeps
): Promise<Waited> {
  const { progress } = caller
  const signal = caller.disconnected?.()
  const left_ms = total_ms - (performance.now() - started)
  const found: Told[] = []
  // Whether further changes exist already: one who comes back for them is not to think that the session has ended.
  let isBehind = false
  const answer = (timed_out: boolean): Waited => {
    const { has_more, ...told } = answerOf(found, limit, cursor)
    return { ...told, has_more: has_more || isBehind, timed_out, is_active }
  }
  if (left_ms <= 0 || stopping.aborted || signal?.aborted === true) return answer(true)
  const leaveWaiters = waiters.take(agent)
  const reacquireSlot = caller.releaseSlot?.()
  const woken = wakes.begin()
  let stop = () => {}
  try {
    return await new Promise<Waited>((resolve, reject) => {
      const timeUp = () => {
        resolve(answer(found.length === 0))
      }
      const timer = setTimeout(timeUp, left_ms)
      signal?.addEventListener('abort', timeUp, { once: true })
      const following = live.follow(session_id, agent, cursor, {
        maxChanges,
        deliver(changes, upTo, more) {
          for (const change of changes) if (isTold(change) && wanted(change)) found.push(change)
          cursor = upTo
          isBehind = more
          is_active = isOpenAfter(changes) ?? is_active
          // Further changes that exist already belong to this answer, up to its limit.
          if (more ? found.length <= limit : found.length === 0 && is_active) return
          if (found[0]?.type === 'message_added') woken(found[0].message.timestamp)
          resolve(answer(false))
          // At once, not with the promise: another delivery would move the cursor of this answer.
          stop()
        },
        ended(reason) {
          if (reason === 'stopping') timeUp()
          else reject(whyEnded(reason))
        },
        ...(progress !== undefined && {
          tick: () => {
            progress((performance.now() - started) / 1000, total_ms / 1000)
          }
        })
      })
      stop = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', timeUp)
        following.close()
      }
    })
  } finally {
    stop()
    leaveWaiters()
    reacquireSlot?.()
  }
}

/** Whether the session is open after these changes; undefined if they do not say. */
export function isOpenAfter(changes: readonly Change[]): boolean | undefined {
  const last = changes.findLast(change => change.type === 'session_closed' || change.type === 'session_updated')
  return last === undefined ? undefined : last.type === 'session_updated'
}

export function whyEnded(reason: Exclude<EndReason, 'stopping'>): AppError {
  return reason === 'session_gone'
    ? new AppError('SESSION_NOT_FOUND', 'There is no session with that session_id any more.')
    : rightsEnded(reason)
}
