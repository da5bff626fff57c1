/** What a timer of any platform is. */
type Timer = ReturnType<typeof setTimeout>

/** The longest that a timer may take: setTimeout counts in 32 bits, and takes what is longer as 1 ms. */
export const TIMER_MAX_MS = 2 ** 31 - 1

/** Timers that only keep something alive must not keep a program running; browsers' timers are numbers and never do. */
export function unref(timer: Timer): void {
  const { unref } = timer as { unref?: () => void }
  if (typeof unref === 'function') unref.call(timer)
}

/** Waits. @throws the signal's reason, at once when it aborts */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** Waits for the promise, but no longer than the signal. What makes the promise goes on. @throws the signal's reason */
export function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const aborted = () => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) {
      aborted()
      return
    }
    signal.addEventListener('abort', aborted, { once: true })
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', aborted)
    })
  })
}

/**
 * Ends by a signal, or after a time. Unlike `AbortSignal.any` with `AbortSignal.timeout` it leaves nothing behind at a
 * signal that lives long, once `release` is called.
 */
export class Ending {
  private readonly controller = new AbortController()
  private timer: Timer | undefined
  private readonly follow = () => {
    this.controller.abort(this.source?.reason)
  }

  constructor(private readonly source?: AbortSignal) {
    if (source?.aborted === true) this.follow()
    else source?.addEventListener('abort', this.follow, { once: true })
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  abort(reason: unknown): void {
    this.controller.abort(reason)
  }

  /** Ends after so many milliseconds from now, with Infinity never; a later call begins anew. */
  endIn(ms: number, reason: () => unknown): void {
    clearTimeout(this.timer)
    if (ms === Infinity) return
    this.timer = setTimeout(
      () => {
        this.controller.abort(reason())
      },
      Math.min(TIMER_MAX_MS, ms)
    )
  }

  /** Forgets the signal and the time. */
  release(): void {
    clearTimeout(this.timer)
    this.source?.removeEventListener('abort', this.follow)
  }
}
