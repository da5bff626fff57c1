import { Ending, unref } from './pause.js'
import { SharedContextError } from './refused-error.js'

/** A hold is renewed each time a third of its life is over: two renewals may fail before it ends. */
const RENEWALS = 3
/** Milliseconds before a renewal that failed is tried again. */
const AGAIN_MS = 500

/** Renews something that ends by itself, in the background, until it is stopped or lost. */
export class Renewal {
  private readonly ending: Ending
  private timer: ReturnType<typeof setTimeout> | undefined
  private until: number
  private isStopped = false

  /**
   * @param ttlMs how long it lasts after each renewal
   * @param began when what began it was asked for, by `performance.now()`: the service's clock began later
   * @param renew renews it once, within so many milliseconds
   * @param signal ends it too
   */
  constructor(
    private readonly ttlMs: number,
    began: number,
    private readonly renew: (timeoutMs: number) => Promise<unknown>,
    signal?: AbortSignal
  ) {
    this.ending = new Ending(signal)
    this.until = began + ttlMs
    this.schedule(this.ttlMs / RENEWALS)
  }

  /** Aborts when the hold is lost, or when the signal that was given aborts. */
  get signal(): AbortSignal {
    return this.ending.signal
  }

  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    this.ending.release()
  }

  private schedule(ms: number): void {
    if (this.isStopped || this.signal.aborted) return
    this.timer = setTimeout(() => void this.once(), ms)
    unref(this.timer)
  }

  private async once(): Promise<void> {
    const began = performance.now()
    try {
      await this.renew(Math.max(1, this.until - began))
      this.until = began + this.ttlMs
      this.schedule(this.ttlMs / RENEWALS)
    } catch (error) {
      if (this.isStopped) return
      const left = this.until - performance.now()
      if (left <= 0 || !(error instanceof SharedContextError) || !error.mayPass) this.ending.abort(error)
      else this.schedule(Math.min(AGAIN_MS, left))
    }
  }
}
