/**
 * Seconds between the clocks of this replica and of the database beyond which it says so, and below which it is over.
 */
const OFF_SECONDS = 30
const BACK_SECONDS = 25
/** Milliseconds that reading the clock may take. A slower reading says too little if there is an earlier one. */
const READING_MAX_MS = 1000

/**
 * The database's clock, by which tokens and keys end. Replicas whose own clocks are wrong or differ agree on it. Before
 * it has been read, this replica's clock stands in.
 */
export class DatabaseClock {
  /** What to add to performance.now(), which no correction of this replica's clock changes. */
  private base_ms: number | undefined
  private isOff = false

  /** @param onChange called when the clocks begin to differ by more than 30 seconds, and when that is over */
  constructor(private readonly onChange: (isOff: boolean, offset_seconds: number) => void = () => {}) {}

  /** Milliseconds since 1970. */
  readonly now = (): number => (this.base_ms === undefined ? Date.now() : this.base_ms + performance.now())

  /** Seconds by which this replica's clock is ahead of the database's; negative if it is behind. */
  get offset_seconds(): number {
    return (Date.now() - this.now()) / 1000
  }

  /**
   * Takes over what the database has said.
   * @param database_ms its time, in milliseconds since 1970, read between two moments of performance.now()
   */
  set(database_ms: number, asked_at: number, answered_at: number): void {
    if (this.base_ms !== undefined && answered_at - asked_at > READING_MAX_MS) return
    this.base_ms = database_ms - (asked_at + answered_at) / 2
    const offset = this.offset_seconds
    const isOff = Math.abs(offset) > (this.isOff ? BACK_SECONDS : OFF_SECONDS)
    if (isOff === this.isOff) return
    this.isOff = isOff
    this.onChange(isOff, Math.round(offset))
  }
}
