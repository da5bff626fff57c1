import { pause } from './pause.js'
import { SharedContextError } from './refused-error.js'

/** Milliseconds before the second try; each further one waits twice as long. */
const FIRST_MS = 250
const LONGEST_MS = 10_000
/** Who is told to wait longer than so many seconds is told so at once. */
const PATIENCE_S = 60

/** Milliseconds to wait after a number of failures: a little more or less, so that many clients do not come at once. */
export function backoff(failures: number, error?: unknown): number {
  const told = error instanceof SharedContextError ? (error.retryAfter ?? 0) * 1000 : 0
  return Math.max(told, Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))) * (1 + Math.random() / 4)
}

/**
 * Does something again while it fails in a way that may pass.
 * @param tries how often at most, 1 or more
 * @throws what it failed with, or the signal's reason
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { tries, signal }: { tries: number; signal: AbortSignal | undefined }
): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await attempt()
    } catch (error) {
      if (++failures >= tries || !mayPass(error)) throw error
      await pause(backoff(failures, error), signal)
    }
  }
}

export function mayPass(error: unknown): boolean {
  return error instanceof SharedContextError && error.mayPass && (error.retryAfter ?? 0) <= PATIENCE_S
}
