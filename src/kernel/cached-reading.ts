/**
 * Makes a reading serve everybody for a while. One that failed serves those who wait for it, and nobody after them.
 * @param ms for how many milliseconds from its beginning on
 */
export function cachedReading<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let read_at = -Infinity
  let reading: Promise<T> | undefined
  return () => {
    if (reading === undefined || performance.now() - read_at > ms) {
      read_at = performance.now()
      const begun = (reading = read())
      begun.catch(() => {
        if (reading === begun) reading = undefined
      })
    }
    return reading
  }
}
