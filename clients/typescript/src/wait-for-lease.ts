import { LeaseHeldError, LeaseLostError } from './generated/errors.js'
import { pause } from './pause.js'
import { SharedContextError } from './refused-error.js'
import { backoff, mayPass } from './retry.js'

/** One call waits so long at most once the caller's own wait is over. */
const WAIT_SECONDS = 20
/** The clock of the service may end a lease a little after ours. */
const CLOCKS_MS = 1000
/** With these the service says that it has done nothing. */
const NOTHING_DONE = new Set(['RATE_LIMITED', 'CONFLICT'])

/** For how long to go on asking for names. */
export class WaitForLease {
  private endsAt: number
  /** Until when a lease may last that the service gave to this program in an answer that was lost. */
  private ghostEndsAt = -Infinity
  private failures = 0

  /**
   * @param tries how often at most a call fails, one time after the other, because the service is away or busy
   * @param self the agent's name, as far as it is known
   */
  constructor(
    private readonly ttlMs: number,
    waitMs: number,
    private readonly tries: number,
    private readonly self: () => string | undefined
  ) {
    this.endsAt = performance.now() + waitMs
  }

  /** For how many seconds the next call waits. */
  get seconds(): number {
    return Math.max(0, Math.min(WAIT_SECONDS, (this.endsAt - performance.now()) / 1000))
  }

  /** Waits until it is time to ask again. @throws what the last call failed with, if that helps no more */
  async next(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    if (!this.goesOn(error)) throw error
    await pause(backoff(Math.max(1, this.failures), error), signal)
  }

  private goesOn(error: unknown): boolean {
    if (error instanceof LeaseHeldError || error instanceof LeaseLostError) {
      this.failures = 0
      if (this.isGhost(error)) this.endsAt = Math.max(this.endsAt, this.ghostEndsAt)
      return performance.now() < this.endsAt
    }
    if (!(error instanceof SharedContextError) || !mayPass(error)) return false
    // The names may be ours, under a token that we shall never know: then they are free when their time is up.
    if (!NOTHING_DONE.has(error.code)) this.ghostEndsAt = performance.now() + this.ttlMs + CLOCKS_MS
    return ++this.failures < this.tries || performance.now() < this.endsAt
  }

  /** Whether the names may be held by a lease of which we lost the answer. Other agents' leases are none of ours. */
  private isGhost({ context }: LeaseHeldError | LeaseLostError): boolean {
    const self = this.self()
    const holders = (context.holders ?? []) as ReadonlyArray<{ holder?: unknown }>
    return self === undefined || holders.every(({ holder }) => holder === self)
  }
}
