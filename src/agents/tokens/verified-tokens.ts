/** What tokens were found to be, by their whole text, until a time; what ends one early is asked of `Revocations`. */
export interface Remembered<T> {
  get: (token: string) => T | undefined
  /** @param until milliseconds since 1970 */
  set: (token: string, value: T, until: number) => void
}

/** @param most the oldest makes room */
export function remember<T>(most: number): Remembered<T> {
  const entries = new Map<string, { value: T; until: number }>()
  return {
    get(token) {
      const entry = entries.get(token)
      if (entry === undefined) return undefined
      if (entry.until > Date.now()) return entry.value
      entries.delete(token)
      return undefined
    },
    set(token, value, until) {
      if (entries.size >= most) entries.delete(entries.keys().next().value as string)
      entries.set(token, { value, until })
    }
  }
}
