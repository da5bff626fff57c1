import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.js'

/**
 * A running postmaster, as postmaster.pid describes it. Line 8 of the file is its state: starting, ready or stopping.
 */
export interface Postmaster {
  pid: number
  port: number
  ready: boolean
  stopping: boolean
}

const lockFile = 'postmaster.pid'
/** No system assigns this process id. */
const IMPOSSIBLE_PID = 2 ** 31 - 1

/** The postmaster that runs this cluster, if any. */
export async function findPostmaster(clusterDir: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(clusterDir, lockFile), 'utf8').catch(() => '')).split('\n')
  const pid = Math.abs(Number(lines[0]))
  if (!(pid > 0) || !(await isPostmaster(pid, clusterDir))) return undefined
  const status = lines[7]?.trim() ?? ''
  return { pid, port: Number(lines[3]) || 0, ready: status === 'ready', stopping: status === 'stopping' }
}

/**
 * Replaces a stale process id in postmaster.pid. PostgreSQL refuses to start while any process has that id: a zombie,
 * or, after a reboot or in a new container, an unrelated process. If that process is not a postmaster, this function
 * writes an impossible id. The rest of the file stays, because PostgreSQL uses it to check that no orphaned backend
 * still uses the old shared memory.
 */
export async function invalidateStaleLockFile(clusterDir: string): Promise<void> {
  const path = join(clusterDir, lockFile)
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before === undefined) return
  // PostgreSQL fills the file right after creating it, so an old empty one is left from a power failure.
  if (before.trim() === '') {
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > 10_000) await rm(path, { force: true })
    return
  }
  const pid = Math.abs(Number(before.split('\n')[0]))
  if (!(pid > 0) || !processIsAlive(pid) || (await isPostmaster(pid, clusterDir))) return
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== before) return
  await writeFile(path, [IMPOSSIBLE_PID, ...before.split('\n').slice(1)].join('\n'), { flag: 'r+' }).catch(() => {})
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
    const [processCwd, clusterStat] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(clusterDir)])
    return processCwd.dev === clusterStat.dev && processCwd.ino === clusterStat.ino
  } catch {
    // This process may not read it, or it has ended meanwhile.
    return (
      (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).split('\0')[0]?.includes('postgres') ?? false
    )
  }
}
