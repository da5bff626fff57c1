import type { Agent } from '../kernel/agent.js'
import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import { Numeric } from '../kernel/schema.js'
import type { ConcurrencyLimit } from '../kernel/semaphore.js'
import type { EndReason, Live } from './live.js'
import { isOpenAfter, whyEnded } from './wait.js'
import type { WakeUps } from './wake-ups.js'

/**
 * Calls that wait for something which only one of them may get, such as a task or a lease: they are told that it may be
 * there, and try to get it. Hints and rights are those of every other follower.
 */

export interface WaitUntilDeps {
  wakeUps: WakeUps
  /** Bounds the calls that wait at the same time. */
  waiters: ConcurrencyLimit
  /** Aborted when this replica stops. */
  stopping: AbortSignal
}

export interface WaitUntil<T> {
  agent: Agent
  caller: Caller
  /** Tries to get it; undefined: it is not to be had. */
  attempt: () => Promise<T | undefined>
  /** Gives back what nobody is there to take any more. */
  giveBack: (got: T) => Promise<unknown>
  /** Milliseconds. */
  total_ms: number
  /** The session that it is of, as it was read, and what follows it: when it closes, nothing comes any more. */
  session?: { id: string; last_seq: number; live: Live } | undefined
}

/** What a call got that waited; or why it got nothing. */
export type Waited<T> = { got: T } | 'time is up' | 'session closed'

/**
 * Tries at once, and then each time that there may be something, until the time is up. The time is up, too, when the
 * client is gone, or this replica stops.
 * @throws AppError what `attempt` throws, as ConcurrencyLimit does; SESSION_NOT_FOUND, or what ended the caller's
 * rights
 */
export async function waitUntil<T>(
  { agent, caller, attempt, giveBack, total_ms, session }: WaitUntil<T>,
  { wakeUps, waiters, stopping }: WaitUntilDeps
): Promise<Waited<T>> {
  const started = performance.now()
  const before = wakeUps.counts(agent)
  const first = await attempt()
  const signal = total_ms > 0 ? caller.disconnected?.() : undefined
  const isGone = () => signal?.aborted === true
  const left_ms = total_ms - (performance.now() - started)
  if (first !== undefined) return { got: first }
  if (left_ms <= 0 || stopping.aborted || isGone()) return 'time is up'

  const leaveWaiters = waiters.take(agent)
  const reacquireSlot = caller.releaseSlot?.()
  let stop = () => {}
  try {
    const waited = await new Promise<Waited<T>>((resolve, reject) => {
      let trying = false
      let closed = false
      let again = false
      let end: (() => void) | undefined
      const tryNow = async () => {
        again = trying
        if (trying) return
        trying = true
        try {
          do {
            again = false
            const found = await attempt()
            if (found !== undefined) end = () => resolve({ got: found })
            else if (closed && !again) end ??= () => resolve('session closed')
          } while (again && end === undefined)
        } catch (error) {
          const fault = error instanceof Error ? error : new Error(String(error))
          end ??= () => reject(fault)
        }
        trying = false
        end?.()
      }
      /** What is being tried may succeed: its end is waited for. */
      const endWith = (how: () => void) => {
        end ??= how
        if (!trying) end()
      }
      const timeUp = () => {
        endWith(() => resolve('time is up'))
      }
      const timer = setTimeout(timeUp, left_ms)
      signal?.addEventListener('abort', timeUp, { once: true })
      const ended = (reason: EndReason) => {
        if (reason === 'stopping') timeUp()
        else endWith(() => reject(whyEnded(reason)))
      }
      const following = wakeUps.follow(
        agent,
        {
          deliveryCost: 0,
          deliver: () => void tryNow(),
          ended,
          tick: () => caller.progress?.((performance.now() - started) / 1000, total_ms / 1000)
        },
        before
      )
      const ofSession =
        session &&
        session.live.follow(session.id, agent, session.last_seq, {
          deliveryCost: 0,
          deliver(changes) {
            closed = !(isOpenAfter(changes) ?? !closed)
            if (closed) void tryNow()
          },
          ended
        })
      stop = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', timeUp)
        following.close()
        ofSession?.close()
      }
      // What came between the first attempt and now has told nobody.
      if (following.missed) void tryNow()
    })
    if (typeof waited === 'string' || !isGone()) return waited
    await giveBack(waited.got)
    return 'time is up'
  } finally {
    stop()
    leaveWaiters()
    reacquireSlot?.()
  }
}

/** Seconds. */
export const WAIT_MAX = 55
export const WAIT_MAX_MCP = 25

export const WAIT_WORDS = `at most ${WAIT_MAX_MCP} over MCP, ${WAIT_MAX} over REST`

export function WaitSeconds() {
  return Numeric({
    minimum: 0,
    maximum: WAIT_MAX,
    default: 0,
    description: `Seconds to wait, at most ${WAIT_MAX_MCP} over MCP`
  })
}

/**
 * @param argument the one that says how long, in seconds
 * @param again how to go on waiting, in words
 * @throws AppError INVALID_INPUT for a wait that most MCP clients would not sit out
 */
export function refuseLongWait(
  { front }: Pick<Caller, 'front'>,
  seconds: number,
  argument: 'wait_seconds' | 'timeout_seconds',
  again = 'call again when timed_out is true'
): void {
  if (front !== 'mcp' || seconds <= WAIT_MAX_MCP) return
  const allowed = `a number from 0 to ${WAIT_MAX_MCP} over MCP`
  throw new AppError(
    'INVALID_INPUT',
    `The argument '${argument}' must be ${allowed}, since most MCP clients give up after 30 seconds.`,
    {
      context: { argument, given: `the number ${seconds}`, allowed },
      suggestions: [`Pass at most ${WAIT_MAX_MCP}, and ${again}`]
    }
  )
}
