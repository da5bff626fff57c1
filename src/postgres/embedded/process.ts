import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.js'

/**
 * What postmaster.pid says of a postmaster that is really there. `ready` is line 8; it is `starting` or `stopping`
 * otherwise.
 */
export interface Postmaster {
  pid: number
  port: number
  ready: boolean
  stopping: boolean
}

const lockFile = 'postmaster.pid'
/** No system gives this number to a process. */
const nobody = 2 ** 31 - 1

/** The postmaster that runs this cluster, if one does. */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(clusterDir, lockFile), 'utf8').catch(() => '')).split('\n')
  const pid = Math.abs(Number(lines[0]))
  if (!(pid > 0) || !(await isPostmaster(pid, clusterDir))) return undefined
  const status = lines[7]?.trim() ?? ''
  return { pid, port: Number(lines[3]) || 0, ready: status === 'ready', stopping: status === 'stopping' }
}

/**
 * PostgreSQL takes any process with the number in postmaster.pid for its predecessor: a zombie that nobody reaps, or,
 * after a reboot or in a new container, something else. It would refuse to start for as long as that exists. Where the
 * number is surely not a postmaster's any more we put an impossible one in its place; the rest of the file stays,
 * because from it PostgreSQL checks that no orphaned backend still uses the old shared memory.
 */
export async function disownLockFile(clusterDir: string): Promise<void> {
  const path = join(clusterDir, lockFile)
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before === undefined) return
  // Written as a whole a moment after it is created, so an old empty one is what a loss of power left.
  if (before.trim() === '') {
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > 10_000) await rm(path, { force: true })
    return
  }
  const pid = Math.abs(Number(before.split('\n')[0]))
  if (!(pid > 0) || !processIsAlive(pid) || (await isPostmaster(pid, clusterDir))) return
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== before) return
  await writeFile(path, [nobody, ...before.split('\n').slice(1)].join('\n'), { flag: 'r+' }).catch(() => {})
}

export function processIsAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export async function isPostmaster(pid: number, clusterDir: string): Promise<boolean> {
  if (!processIsAlive(pid)) return false
  if (process.platform === 'linux') return await isPostmasterOnLinux(pid, clusterDir)
  if (process.platform === 'win32')
    return (await run('tasklist', ['/NH', '/FI', `PID eq ${pid}`])).output.includes('postgres')
  const { output } = await run('/bin/ps', ['-o', 'stat=,command=', '-p', String(pid)])
  return !output.trim().startsWith('Z') && output.includes('postgres')
}

async function isPostmasterOnLinux(pid: number, clusterDir: string): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  if (status === undefined) return processIsAlive(pid)
  if (/^ [ZX]/.test(status.slice(status.lastIndexOf(')') + 1))) return false
  try {
    // A postmaster's working directory is its cluster.
    const [its, ours] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(clusterDir)])
    return its.dev === ours.dev && its.ino === ours.ino
  } catch {
    // Not ours to look at, or gone meanwhile.
    return (
      (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).split('\0')[0]?.includes('postgres') ?? false
    )
  }
}
