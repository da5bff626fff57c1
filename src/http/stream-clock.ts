import type { Stream } from './stream.js'

/** Each stream's turn comes once in so many ticks. */
const TURNS = 15
const TICK_MS = 1000

/**
 * The heartbeats of all streams of a replica: one timer, which runs while there are streams and sees to a part of them
 * at a time.
 */
export class StreamClock {
  private readonly turns = Array.from({ length: TURNS }, () => new Set<Stream>())
  private turn = 0
  private timer: NodeJS.Timeout | undefined
  private count = 0

  /** @returns what takes it out again, harmless twice */
  add(stream: Stream): () => void {
    // Its turn is the one furthest away.
    const turn = this.turns[(this.turn + TURNS - 1) % TURNS] as Set<Stream>
    turn.add(stream)
    this.count++
    this.timer ??= setInterval(() => {
      this.tick()
    }, TICK_MS).unref()
    return () => {
      if (!turn.delete(stream)) return
      this.count--
      if (this.count === 0) this.timer = void clearInterval(this.timer)
    }
  }

  private tick(): void {
    for (const stream of this.turns[this.turn] as Set<Stream>) stream.beat()
    this.turn = (this.turn + 1) % TURNS
  }
}
