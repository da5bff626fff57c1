import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refused } from './text/refused.js'

/** Milliseconds. */
interface Times {
  /** How often the owner of a lock shows that it still runs. */
  sign: number
  /** How long a lock stays without such a sign: its owner was ended before it could remove the lock. */
  stale: number
  /** How long one run waits for others; longer than `stale`, so that a lock left behind stops nobody. */
  wait: number
}

const TIMES: Times = { sign: 1000, stale: 5000, wait: 30_000 }
const POLL_MS = 50

/**
 * Does some work while no other run of this program does work on the same file. Another run waits.
 * @throws Refused if the others take too long, or no lock can be made
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, times = TIMES): Promise<T> {
  const lock = `${path}.lock`
  const owner = randomUUID()
  await take(lock, owner, times)
  const signs = setInterval(() => {
    const now = new Date()
    // If the lock is gone, the next run sees what this one has written, and no sign helps.
    utimes(lock, now, now).catch(() => undefined)
  }, times.sign)
  try {
    return await work()
  } finally {
    clearInterval(signs)
    // A run that slept for long may find the lock of another one here.
    if ((await contentOf(lock)) === owner) await rm(lock, { force: true })
  }
}

async function take(lock: string, owner: string, { stale, wait }: Times): Promise<void> {
  await orRefused(lock, mkdir(dirname(lock), { recursive: true, mode: 0o700 }))
  const start = performance.now()
  let seen: string | undefined
  let since = start
  while (!(await isMade(lock, owner))) {
    const now = performance.now()
    const sign = await signOf(lock)
    if (sign !== seen) [seen, since] = [sign, now]
    // By this run's own watch: the clock of the machine that keeps the file can differ.
    else if (sign !== undefined && now - since >= stale) await takeAway(lock, sign)
    if (now - start >= wait)
      throw new Refused(`Another run of this command still writes. Wait for its end. If none runs, delete ${lock}.`)
    await sleep(POLL_MS)
  }
}

/** @returns false if there is a lock already */
async function isMade(lock: string, owner: string): Promise<boolean> {
  const made = writeFile(lock, owner, { mode: 0o600, flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    }
  )
  return orRefused(lock, made)
}

async function orRefused<T>(lock: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Refused(`The file ${lock} cannot be written (${code ?? 'unknown'}), so nothing was changed.`)
  }
}

/** What changes with each sign of the owner, and with the owner; undefined if there is no lock. */
async function signOf(lock: string): Promise<string | undefined> {
  const [owner, time] = [await contentOf(lock), await stat(lock).catch(() => undefined)]
  return owner === undefined || time === undefined ? undefined : `${owner} ${time.mtimeMs}`
}

/** Takes away a lock that was left behind. */
async function takeAway(lock: string, sign: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`
  try {
    await rename(lock, aside)
  } catch {
    // Another run has taken it away.
    return
  }
  // Another run may have taken away the old one, and made its own, since this one looked.
  if ((await signOf(aside)) !== sign) await link(aside, lock).catch(() => undefined)
  await rm(aside, { force: true })
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
