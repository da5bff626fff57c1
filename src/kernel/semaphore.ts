export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>

/** Lets so many through at once; the others wait in their order. */
export function createSemaphore(most: number): Semaphore {
  const waiting: Array<() => void> = []
  let inside = 0
  return async work => {
    if (inside >= most)
      await new Promise<void>(resolve => {
        waiting.push(resolve)
      })
    else inside++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) inside--
      else next()
    }
  }
}
