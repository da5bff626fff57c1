import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable } from './binaries.js'
import type { Cluster } from './cluster.js'
import { EmbeddedError, messageOf } from './error.js'
import { invalidateStaleLockFile, findPostmaster, isPostmaster } from './process.js'
import { environment, run, workingDirectory } from './run.js'

export type Settings = Record<string, string>

/**
 * Small settings for a laptop, with full durability. Statement errors are not logged, because they quote values.
 */
const defaults: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '128MB',
  max_connections: '60',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_preload_libraries: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  gin_pending_list_limit: '2MB',
  jit: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '%m [%p] ',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off'
}

const LOG_MAX_BYTES = 10 * 1024 * 1024
const START_MAX_MS = 300_000

/**
 * `held`: another postmaster uses the folder, or the last one has not ended yet. `port`: another program uses the port.
 * Both are temporary.
 */
export type StartResult = { pid: number } | { problem: 'held' | 'port' }

/**
 * Starts a postmaster and waits until it is ready. It is detached, so that neither Ctrl-C nor the end of this process
 * stops it. If several processes start one, PostgreSQL's own lock file decides.
 * @throws EmbeddedError if PostgreSQL does not start
 */
export async function startPostmaster(cluster: Cluster, port: number, settings: Settings = {}): Promise<StartResult> {
  await invalidateStaleLockFile(cluster.dir)
  const logSize = (await stat(cluster.logFile).catch(() => undefined))?.size ?? 0
  if (logSize > LOG_MAX_BYTES) await rename(cluster.logFile, `${cluster.logFile}.1`).catch(() => {})
  const log = await open(cluster.logFile, 'a', 0o600)
  const offset = (await log.stat()).size
  const flags = Object.entries({ ...defaults, ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`
  ])
  const child = spawn(executable(cluster.binaries.binDir, 'postgres'), ['-D', cluster.dir, ...flags], {
    cwd: workingDirectory,
    env: environment,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', log.fd, log.fd],
    ...(cluster.account && { uid: cluster.account.uid, gid: cluster.account.gid })
  })
  const failure = new Promise<Error | undefined>(resolve => {
    child.once('error', resolve).once('spawn', () => resolve(undefined))
  })
  child.unref()
  const notSpawned = await failure
  await log.close()
  if (notSpawned !== undefined) throw new EmbeddedError(`PostgreSQL could not be started (${messageOf(notSpawned)}).`)
  if (await becomesReady(cluster, child)) return { pid: child.pid as number }

  const logText = ownLines((await readFile(cluster.logFile)).subarray(offset).toString(), child.pid as number)
  if (/lock file ".*" (already exists|is empty)|pre-existing shared memory block/.test(logText))
    return { problem: 'held' }
  if (/could not create any TCP\/IP sockets/.test(logText)) return { problem: 'port' }
  const reason = logText
    .split('\n')
    .filter(line => /FATAL|PANIC|ERROR|HINT|DETAIL/.test(line))
    .map(line => line.replace(/^.*?(FATAL|PANIC|ERROR|HINT|DETAIL): +/, ''))
  throw new EmbeddedError(
    `PostgreSQL did not start in ${cluster.dir} (${reason.join(' ') || logText || 'it said nothing'}). ` +
      `Its log is ${cluster.logFile}.`
  )
}

async function becomesReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + START_MAX_MS
  while (child.exitCode === null && child.signalCode === null) {
    const found = await findPostmaster(cluster.dir)
    if (found?.pid === child.pid && found?.ready) return true
    // Recovery after a crash may take long. It continues without this process, and the next start finds it.
    if (Date.now() > deadline)
      throw new EmbeddedError(
        `PostgreSQL is still recovering in ${cluster.dir}. Try again later; its log is ${cluster.logFile}.`
      )
    await sleep(20)
  }
  return false
}

/**
 * The log lines of this postmaster. Others may write to the same file; lines from before PostgreSQL's logging starts
 * have no process id.
 */
function ownLines(text: string, pid: number): string {
  return text
    .split('\n')
    .filter(line => line.includes(`[${pid}]`) || !/^\S+ \S+ \S+ \[\d+\]/.test(line))
    .join('\n')
    .trim()
}

/**
 * Stops PostgreSQL with a fast shutdown, which ends sessions and writes all data. Resolves when the process has ended.
 * @throws EmbeddedError if it does not stop within 70 seconds
 */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const found = await findPostmaster(cluster.dir)
  if (found === undefined) return
  const hasExited = async (timeout_ms: number) => {
    const deadline = Date.now() + timeout_ms
    while (await isPostmaster(found.pid, cluster.dir)) {
      if (Date.now() > deadline) return false
      await sleep(20)
    }
    return true
  }
  if (process.platform === 'win32') {
    await run(executable(cluster.binaries.binDir, 'pg_ctl'), ['stop', '-D', cluster.dir, '-m', 'fast', '-W'])
  } else {
    signal(found.pid, 'SIGINT')
  }
  if (await hasExited(60_000)) return
  // An immediate shutdown loses no data either: the next start recovers it.
  signal(found.pid, 'SIGQUIT')
  if (await hasExited(10_000)) return
  throw new EmbeddedError(
    `PostgreSQL (process ${found.pid}) in ${cluster.dir} does not stop. Its log is ${cluster.logFile}.`
  )
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended already.
  }
}

/**
 * The preferred port if it is free, so that clients find the database again; else a port that the system chooses.
 */
export async function freePort(preferred = 0): Promise<number> {
  const probe = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer().once('error', reject)
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
      })
    })
  return await probe(preferred).catch(() => probe(0))
}
