import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { executable } from './binaries.js'
import type { Cluster } from './cluster.js'
import { EmbeddedError, messageOf } from './error.js'
import { disownLockFile, findPostmaster, isPostmaster } from './process.js'
import { environment, run, sleep, workingDirectory } from './run.js'

export type Settings = Record<string, string>

/**
 * For a laptop: small, but as safe as PostgreSQL is. What only logs errors of statements is off, since they quote
 * values.
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

const biggestLog = 10 * 1024 * 1024
const longestStart = 300_000

/**
 * `held`: another postmaster has the folder, or the last one is not quite gone. `port`: somebody took the port. Both
 * pass.
 */
export type StartResult = { pid: number } | { problem: 'held' | 'port' }

/**
 * Starts a postmaster in a session of its own, so that neither Ctrl-C in the terminal nor our own death reaches it, and
 * waits until it is ready. Which of several starts at once wins is decided by PostgreSQL's own lock file.
 */
export async function startPostmaster(cluster: Cluster, port: number, settings: Settings = {}): Promise<StartResult> {
  await disownLockFile(cluster.dir)
  const logSize = (await stat(cluster.logFile).catch(() => undefined))?.size ?? 0
  if (logSize > biggestLog) await rename(cluster.logFile, `${cluster.logFile}.1`).catch(() => {})
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

  const said = ownLines((await readFile(cluster.logFile)).subarray(offset).toString(), child.pid as number)
  if (/lock file ".*" (already exists|is empty)|pre-existing shared memory block/.test(said)) return { problem: 'held' }
  if (/could not create any TCP\/IP sockets/.test(said)) return { problem: 'port' }
  const reason = said
    .split('\n')
    .filter(line => /FATAL|PANIC|ERROR|HINT|DETAIL/.test(line))
    .map(line => line.replace(/^.*?(FATAL|PANIC|ERROR|HINT|DETAIL): +/, ''))
  throw new EmbeddedError(
    `PostgreSQL did not start in ${cluster.dir} (${reason.join(' ') || said || 'it said nothing'}). Its log is ${cluster.logFile}.`
  )
}

async function becomesReady(cluster: Cluster, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + longestStart
  while (child.exitCode === null && child.signalCode === null) {
    const found = await findPostmaster(cluster.dir)
    if (found?.pid === child.pid && found?.ready) return true
    // Recovery after a crash may take its time; it goes on without us, and the next start finds it.
    if (Date.now() > deadline)
      throw new EmbeddedError(
        `PostgreSQL is still recovering in ${cluster.dir}. Try again later; its log is ${cluster.logFile}.`
      )
    await sleep(20)
  }
  return false
}

/**
 * Another process may be writing to the same log; what comes before PostgreSQL's logging is up has no process number.
 */
function ownLines(text: string, pid: number): string {
  return text
    .split('\n')
    .filter(line => line.includes(`[${pid}]`) || !/^\S+ \S+ \S+ \[\d+\]/.test(line))
    .join('\n')
    .trim()
}

/** Fast shutdown: sessions are ended, everything is written. Returns when the process is gone. */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const found = await findPostmaster(cluster.dir)
  if (found === undefined) return
  const gone = async (patience: number) => {
    for (const deadline = Date.now() + patience; Date.now() < deadline; await sleep(20)) {
      if (!(await isPostmaster(found.pid, cluster.dir))) return true
    }
    return false
  }
  if (process.platform === 'win32') {
    await run(executable(cluster.binaries.binDir, 'pg_ctl'), ['stop', '-D', cluster.dir, '-m', 'fast', '-W'])
  } else {
    signal(found.pid, 'SIGINT')
  }
  if (await gone(60_000)) return
  // An immediate shutdown loses nothing either: the next start recovers.
  signal(found.pid, 'SIGQUIT')
  if (await gone(10_000)) return
  throw new EmbeddedError(
    `PostgreSQL (process ${found.pid}) in ${cluster.dir} does not stop. Its log is ${cluster.logFile}.`
  )
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    /* gone by itself */
  }
}

/**
 * The preferred port if it is free, so that clients find the database where it was; else one that the system chooses.
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
