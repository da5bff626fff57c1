import type { Caller } from '../kernel/caller.js'
import { AppError } from '../kernel/errors.js'
import type { Limits } from './rate-limits.js'

/**
 * Slows down who tries keys and tokens. Of the refusals that an address gets in a minute, on all replicas together, the
 * last few come later and later, and all beyond are RATE_LIMITED. A right key from the same address is not looked at
 * differently: several callers may share an address, and one of them must not be able to lock out the others.
 */

/** Before the last refusals but 5, but 4, … of a minute. */
const DELAYS_MS = [50, 100, 200, 400, 800, 1600]
/** Refusals that are held back in one process at a time; more are answered at once, with RATE_LIMITED. */
const HELD_MAX = 1000
let held = 0

/**
 * What a refused credential is answered with, and when. Tokens that were good once are no guesses.
 * @returns the refusal itself, or RATE_LIMITED in its place
 */
export async function throttleFailedAuth(
  error: AppError,
  caller: Caller,
  limits: Pick<Limits, 'failure'>,
  stopping: AbortSignal
): Promise<AppError> {
  if (error.code !== 'INVALID_API_KEY' && error.code !== 'INVALID_TOKEN') return error
  try {
    const left = await limits.failure(caller.address, caller.onRateLimit)
    const ms = left < DELAYS_MS.length ? (DELAYS_MS[DELAYS_MS.length - 1 - left] as number) : 0
    if (ms > 0) await hold(ms, caller, stopping)
    return error
  } catch (thrown) {
    // A database that cannot count must not turn a refusal into something else.
    return thrown instanceof AppError && thrown.code === 'RATE_LIMITED' ? thrown : error
  }
}

/** Waits without a place among the requests in flight. @throws AppError RATE_LIMITED where too many wait already */
async function hold(ms: number, caller: Caller, stopping: AbortSignal): Promise<void> {
  if (held >= HELD_MAX)
    throw new AppError('RATE_LIMITED', 'Too many wrong keys or tokens are being answered at the moment.', {
      retry_after: 2
    })
  held++
  const again = caller.releaseSlot?.()
  try {
    await new Promise<void>(resolve => {
      const over = () => {
        clearTimeout(timer)
        for (const signal of signals) signal.removeEventListener('abort', over)
        resolve()
      }
      const timer = setTimeout(over, ms)
      const signals = [stopping, caller.signal].filter(signal => signal !== undefined)
      for (const signal of signals) signal.addEventListener('abort', over)
      if (signals.some(({ aborted }) => aborted)) over()
    })
  } finally {
    held--
    again?.()
  }
}
