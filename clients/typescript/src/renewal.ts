import { LeaseLostError } from './generated/errors.js'
import type { CallOptions } from './options.js'
import { Ending, unref } from './pause.js'
import { SharedContextError } from './refused-error.js'

/** A hold is renewed each time a third of its life is over: two renewals may fail before it ends. */
const RENEWALS = 3
/** Milliseconds before a renewal that failed is tried again. */
const AGAIN_MS = 500

/** Renews a hold once. */
type Renew = (options: CallOptions) => Promise<unknown>

/**
 * From when a hold lasts that the service has just given, by `performance.now()`. The service gave it at some moment
 * between the question and the answer: nobody here knows when. If much of its life may be over, it is renewed at once.
 * @param asked when it was asked for
 * @throws LeaseLostError if somebody else may have it by now; what `renew` throws; the signal's reason
 */
export async function lastsFrom(
  ttlMs: number,
  asked: number,
  renew: Renew,
  signal: AbortSignal | undefined
): Promise<number> {
  const now = performance.now()
  if (now - asked <= ttlMs / RENEWALS) return asked
  await renew({ signal })
  if (performance.now() - now >= ttlMs) throw ended()
  return now
}

/** Renews something that ends by itself, in the background, until it is stopped or lost. */
export class Renewal {
  private readonly ending: Ending
  private timer: ReturnType<typeof setTimeout> | undefined
  private end: ReturnType<typeof setTimeout> | undefined
  private until = 0
  private isStopped = false

  /**
   * @param ttlMs how long it lasts after each renewal
   * @param began when what began it was asked for, by `performance.now()`: the service's clock began later
   * @param renew renews it once
   * @param signal ends it too
   */
  constructor(
    private readonly ttlMs: number,
    began: number,
    private readonly renew: Renew,
    signal?: AbortSignal
  ) {
    this.ending = new Ending(signal)
    this.lasts(began)
  }

  /** Aborts when the hold is lost, or when the signal that was given aborts. */
  get signal(): AbortSignal {
    return this.ending.signal
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    clearTimeout(this.end)
    this.ending.release()
  }

  /** It lasts anew from that moment on, which may be so long ago that it is over. */
  private lasts(began: number): void {
    this.until = began + this.ttlMs
    clearTimeout(this.end)
    const now = performance.now()
    if (now >= this.until) {
      this.ending.abort(ended())
      return
    }
    // A renewal that hangs, such as one that first needs a new token, must not hide the end.
    this.end = setTimeout(() => {
      this.ending.abort(ended())
    }, this.until - now)
    unref(this.end)
    this.schedule(began + this.ttlMs / RENEWALS - now)
  }

  private schedule(ms: number): void {
    if (this.isStopped || this.signal.aborted) return
    this.timer = setTimeout(() => void this.once(), Math.max(0, ms))
    unref(this.timer)
  }

  private async once(): Promise<void> {
    const began = performance.now()
    try {
      await this.renew({ timeoutMs: Math.max(1, this.until - began), tries: 1 })
      if (!this.isStopped) this.lasts(began)
    } catch (error) {
      if (this.isStopped) return
      const left = this.until - performance.now()
      if (left <= 0 || !(error instanceof SharedContextError) || !error.mayPass) this.ending.abort(error)
      else this.schedule(Math.min(AGAIN_MS, left))
    }
  }
}

function ended(): LeaseLostError {
  return new LeaseLostError(
    {
      code: 'LEASE_LOST',
      error: 'The hold ended before the service could say that it goes on: somebody else may have it by now.',
      suggestions: ['Stop the work that it was for: somebody else may do it by now', 'Ask for it again']
    },
    409
  )
}
