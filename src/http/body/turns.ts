/**
 * Lets pieces of work that take long together go on in turns of the event loop, so many in each, so that everything
 * else goes on between. Those that come first are first, but all `urgent` ones before the others.
 */
export type TakeTurn = (urgent: boolean, begin: () => void) => void

/** @param at_a_time pieces in one turn of the loop */
export function createTurns(at_a_time: number): TakeTurn {
  const urgent = new Line()
  const others = new Line()
  let running = false

  function next(): void {
    for (let i = 0; i < at_a_time; i++) {
      const begin = urgent.next() ?? others.next()
      if (begin === undefined) {
        running = false
        return
      }
      begin()
    }
    setImmediate(next)
  }

  return (isUrgent, begin) => {
    const line = isUrgent ? urgent : others
    line.add(begin)
    if (running) return
    running = true
    setImmediate(next)
  }
}

/** A queue of thousands, of which taking the first costs nothing. */
class Line {
  private coming: Array<() => void> = []
  private waiting: Array<() => void> = []

  add(begin: () => void): void {
    this.coming.push(begin)
  }

  next(): (() => void) | undefined {
    if (this.waiting.length === 0) {
      this.waiting = this.coming.reverse()
      this.coming = []
    }
    return this.waiting.pop()
  }
}
