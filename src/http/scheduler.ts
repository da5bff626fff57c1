/**
 * Schedules work over several turns of the event loop, so that it does not block other work. Urgent tasks run before
 * all others; within each group the order is first in, first out.
 */
export type Schedule = (urgent: boolean, run: () => void) => void

/** @param per_turn most tasks in one turn of the event loop */
export function createScheduler(per_turn: number): Schedule {
  const urgent = new Queue()
  const others = new Queue()
  let running = false

  function next(): void {
    for (let i = 0; i < per_turn; i++) {
      const run = urgent.next() ?? others.next()
      if (run === undefined) {
        running = false
        return
      }
      run()
    }
    setImmediate(next)
  }

  return (isUrgent, run) => {
    const queue = isUrgent ? urgent : others
    queue.add(run)
    if (running) return
    running = true
    setImmediate(next)
  }
}

/** A queue whose first element can be removed in constant time, also with thousands of elements. */
class Queue {
  private incoming: Array<() => void> = []
  private outgoing: Array<() => void> = []

  add(run: () => void): void {
    this.incoming.push(run)
  }

  next(): (() => void) | undefined {
    if (this.outgoing.length === 0) {
      this.outgoing = this.incoming.reverse()
      this.incoming = []
    }
    return this.outgoing.pop()
  }
}
