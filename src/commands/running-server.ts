import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isLoopback } from './server-address.js'

/** Which server uses a data folder now: commands of the same machine find it, and may send it the folder's keys. */

const FILE = 'server.json'

/** Notes where this process listens. Nothing takes the note away: that of a process that has ended counts as none. */
export async function noteServer(dataDir: string, url: string): Promise<void> {
  const draft = join(dataDir, `${FILE}.${randomBytes(4).toString('hex')}`)
  await writeFile(draft, `${JSON.stringify({ url, pid: process.pid })}\n`, { mode: 0o600 })
  await rename(draft, join(dataDir, FILE))
}

/** The address of the server that uses a data folder; undefined if none runs, or not on this machine's own address. */
export async function runningServer(dataDir: string): Promise<string | undefined> {
  try {
    const { url, pid } = JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as { url: string; pid: number }
    if (!isLoopback(url)) return undefined
    process.kill(pid, 0)
    return url
  } catch {
    return undefined
  }
}

/** Whether two addresses of this machine name the same port. */
export function isSamePort(one: string, other: string): boolean {
  const portOf = (url: string) => new URL(url).port || '80'
  return isLoopback(one) && isLoopback(other) && portOf(one) === portOf(other)
}
