/**
 * Lets long pieces of work go on one after the other, one in each turn of the event loop, so that everything else goes on between.
 * Those that come first are first, but all `urgent` ones before the others.
 */
export type TakeTurn = (urgent: boolean) => Promise<void>

export function createTurns (): TakeTurn {
  const urgent: Array<() => void> = []
  const others: Array<() => void> = []
  let running = false

  function next (): void {
    const begin = urgent.shift() ?? others.shift()
    running = begin !== undefined
    if (begin === undefined) return
    begin()
    setImmediate(next)
  }

  return isUrgent => new Promise(resolve => {
    const line = isUrgent ? urgent : others
    line.push(resolve)
    if (running) return
    running = true
    setImmediate(next)
  })
}
