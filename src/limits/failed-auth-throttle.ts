import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import type { Limits } from './rate-limits.js'

/**
 * Slows down callers that try keys and tokens. All replicas together count the refusals of an address in a minute. The
 * last ones below the limit are delayed more and more, and those beyond get RATE_LIMITED. Correct keys from the same
 * address are not affected: several callers may share an address, and one must not lock out the others.
 */

/** Delays of the last six refusals of a minute, in milliseconds. */
const DELAYS_MS = [50, 100, 200, 400, 800, 1600]
/** Most refusals that one process delays at a time. Further ones get RATE_LIMITED at once. */
const DELAYED_MAX = 1000
let delayed = 0

/**
 * Delays the refusal of a credential if its address has had many. Expired and revoked tokens do not count as attempts.
 * @returns the error to answer with: the given one, or RATE_LIMITED
 */
export async function throttleFailedAuth(
  error: AppError,
  caller: Caller,
  limits: Pick<Limits, 'failure'>,
  stopping: AbortSignal
): Promise<AppError> {
  if (error.code !== 'INVALID_API_KEY' && error.code !== 'INVALID_TOKEN') return error
  try {
    const remaining = await limits.failure(caller.address, caller.onRateLimit)
    const ms = remaining < DELAYS_MS.length ? (DELAYS_MS[DELAYS_MS.length - 1 - remaining] as number) : 0
    if (ms > 0) await delay(ms, caller, stopping)
    return error
  } catch (thrown) {
    // If the database cannot count, answer with the original refusal.
    return thrown instanceof AppError && thrown.code === 'RATE_LIMITED' ? thrown : error
  }
}

/**
 * Waits without counting as a request in flight.
 * @throws AppError RATE_LIMITED if too many refusals wait already
 */
async function delay(ms: number, caller: Caller, stopping: AbortSignal): Promise<void> {
  if (delayed >= DELAYED_MAX)
    throw new AppError('RATE_LIMITED', 'Too many requests with wrong keys or tokens are waiting for their answer.', {
      retry_after: 2
    })
  delayed++
  const reacquireSlot = caller.releaseSlot?.()
  try {
    await new Promise<void>(resolve => {
      const finish = () => {
        clearTimeout(timer)
        for (const signal of signals) signal.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, ms)
      const signals = [stopping, caller.disconnected?.()].filter(signal => signal !== undefined)
      for (const signal of signals) signal.addEventListener('abort', finish)
      if (signals.some(({ aborted }) => aborted)) finish()
    })
  } finally {
    delayed--
    reacquireSlot?.()
  }
}
