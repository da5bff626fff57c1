import { setTimeout as sleep } from 'node:timers/promises'
import { isSerializationFault } from './faults.js'

/** How often something is run that PostgreSQL takes back because others write at the same time. */
const TRIES_MAX = 6
/** Milliseconds until the second try; each later wait is up to twice as long. */
const RETRY_MS = 10

/** Runs something again that PostgreSQL took back, a few times. @throws what it throws at last */
export async function repeated<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === TRIES_MAX || !isSerializationFault(error)) throw error
      await sleep(RETRY_MS * 2 ** (tries - 1) * Math.random())
    }
  }
}
