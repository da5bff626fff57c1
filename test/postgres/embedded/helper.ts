import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { openEmbedded } from '../../../src/postgres/embedded/index.js'
import type { Embedded, OpenOptions } from '../../../src/postgres/embedded/index.js'

export const quick = { fsync: 'off' }
export const root = process.geteuid?.() === 0

/** A folder that the user PostgreSQL runs as can enter; whatever still runs in its `data` is ended with the test. */
export async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'shared-context-embedded-'))
  await chmod(path, 0o711)
  t.teardown(async () => {
    const pid = await postmasterPid(join(path, 'data'))
    if (pid !== undefined) await kill(pid)
    // Its children notice a moment later, and write until then.
    await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  return path
}

export async function open(
  t: Test,
  dataDir: string,
  mode: 'serve' | 'join' = 'serve',
  more: Partial<OpenOptions> = {}
): Promise<Embedded> {
  const embedded = await openEmbedded({ dataDir, mode, settings: quick, ...more })
  t.teardown(() => embedded.close())
  return embedded
}

export interface Program {
  child: ChildProcess
  pid: number
  url?: string
  adopted?: boolean
  refused?: boolean
  message?: string
}

/** Opens from another process, and returns when that has succeeded or failed. */
export async function program(t: Test, dataDir: string, mode: 'serve' | 'join'): Promise<Program> {
  const opener = join(import.meta.dirname, 'opener.ts')
  const hooks = new URL('../../support/typescript.mjs', import.meta.url).href
  const child = spawn(process.execPath, [`--import=${hooks}`, opener, dataDir, mode], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  for await (const line of createInterface({ input: child.stdout }))
    return { child, pid: child.pid as number, ...(JSON.parse(line) as object) }
  throw new Error('The opener ended without a word')
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = new Promise(resolve => {
    child.once('exit', resolve)
  })
  child.kill(signal)
  if (child.exitCode === null && child.signalCode === null) await exit
}

export async function query(url: string, text: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text)).rows as Array<Record<string, unknown>>
  } finally {
    await client.end().catch(() => {})
  }
}

/** The process in postmaster.pid, if it lives. */
export async function postmasterPid(dataDir: string): Promise<number | undefined> {
  const pid = parseInt(await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => ''), 10)
  return pid > 0 && (await alive(pid)) ? pid : undefined
}

export async function alive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie is dead, but its number is still taken.
  const state = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return !/\) [ZX]/.test(state)
}

export async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(async () => !(await alive(pid)))
}

export async function until(done: () => Promise<boolean>, patience = 30_000): Promise<void> {
  for (const deadline = Date.now() + patience; !(await done()); await sleep(25)) {
    if (Date.now() > deadline) throw new Error('Waited in vain')
  }
}
