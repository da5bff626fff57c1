import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds of work after which others have a turn. */
const TURN_MS = 5

/** For a loop that may take long: whatever else the process has to do gets its turn between two of its rounds. */
export function createBreaks(): () => Promise<void> | undefined {
  let turn = performance.now()
  return () => {
    if (performance.now() - turn < TURN_MS) return
    return nextTurn().then(() => {
      turn = performance.now()
    })
  }
}
