/** A cache of verified tokens by their full text. It does not know revocations; ask `Revocations` for these. */
export interface TokenCache<T> {
  get: (token: string) => T | undefined
  /** @param until milliseconds since 1970 */
  set: (token: string, value: T, until: number) => void
}

/** @param max_entries beyond it, the oldest entry is removed */
export function createTokenCache<T>(max_entries: number): TokenCache<T> {
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
      if (entries.size >= max_entries) entries.delete(entries.keys().next().value as string)
      entries.set(token, { value, until })
    }
  }
}
