import { chmod, chown, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { startPostmaster, stopPostmaster, urlOf } from '../../src/postgres/embedded/index.js'
import { clusterIn } from './cluster.js'
import { administer } from './database.js'
import { mountSmallDisk } from './full-disk.js'
import { quietPort } from './ports.js'
import { until } from './rest.js'

export interface OwnServer {
  url: string
  /** Holds its data; a file system of its own with `disk_bytes`, where the machine allows that. */
  folder: string
  hasOwnDisk: boolean
  /** Does nothing if it runs already. */
  start: () => Promise<void>
  /** `immediate`: as if its machine had lost power. */
  stop: (mode?: 'fast' | 'immediate') => Promise<void>
  /** Its connections stay open, and nothing answers, until it is thawed. */
  freeze: () => Promise<void>
  thaw: () => Promise<void>
  /** Makes a streaming standby of it, while it is stopped. The standby is not started yet. */
  standby: (t: Test) => Promise<OwnServer>
  /** A standby becomes a primary. */
  promote: () => Promise<void>
}

/**
 * Puts files into the folder of a cluster before it starts.
 * @param own makes a file in it the property of the user that PostgreSQL runs as, and of nobody else
 * @returns settings of the server
 */
type Prepare = (dir: string, own: (file: string) => Promise<void>) => Promise<Record<string, string>>

/** A PostgreSQL of a test's own, to be stopped and started under a running server. */
export async function ownServer(
  t: Test,
  { disk_bytes, prepare }: { disk_bytes?: number; prepare?: Prepare } = {}
): Promise<OwnServer> {
  const folder = await temporaryFolder(t)
  const hasOwnDisk = disk_bytes !== undefined && mountSmallDisk(t, folder, disk_bytes)
  const server = await serverIn(t, folder, hasOwnDisk, prepare)
  await server.start()
  return server
}

/** Runs the cluster in a folder, which is made first if there is none. */
async function serverIn(t: Test, folder: string, hasOwnDisk: boolean, prepare?: Prepare): Promise<OwnServer> {
  const cluster = await clusterIn(folder)
  const port = await quietPort()
  const url = urlOf(cluster, port, 'postgres')
  const more = await prepare?.(cluster.dir, async file => {
    await chmod(file, 0o600)
    if (cluster.account !== undefined) await chown(file, cluster.account.uid, cluster.account.gid)
  })
  const postmaster = async () => {
    const file = await readFile(join(cluster.dir, 'postmaster.pid'), 'utf8').catch(() => '')
    return file === '' ? undefined : parseInt(file, 10)
  }
  /** The postmaster first: meanwhile it starts no others. */
  const signal = async (name: NodeJS.Signals) => {
    const pid = await postmaster()
    if (pid === undefined) throw new Error('PostgreSQL does not run')
    process.kill(pid, name)
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    for (const child of children.trim().split(' ').filter(Boolean)) process.kill(Number(child), name)
  }
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    const pid = await postmaster()
    if (mode === 'immediate' && pid !== undefined) process.kill(pid, 'SIGQUIT')
    await stopPostmaster(cluster)
  }
  t.teardown(async () => {
    await signal('SIGCONT').catch(() => {})
    await stop().catch(() => {})
  })
  return {
    url,
    folder,
    hasOwnDisk,
    async start() {
      for (let tries = 0; ; tries++) {
        const started = await startPostmaster(cluster, port, { fsync: 'off', max_wal_size: '64MB', ...more })
        if ('pid' in started || (await answers(url))) return
        if (tries === 100) throw new Error(`PostgreSQL did not start: ${started.problem}`)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    },
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async promote() {
      // Nothing waits inside a statement: recovery, which goes on meanwhile, may cancel it.
      await administer(url, 'select pg_promote(false)')
      await until('the standby is a primary', () =>
        administer(url, 'select pg_is_in_recovery() as recovering').then(
          ([row]) => row?.recovering === false,
          () => false
        )
      )
    },
    async standby(t) {
      const other = await temporaryFolder(t)
      const copy = join(other, 'postgres')
      await cp(cluster.dir, copy, { recursive: true })
      const { hostname, username, password } = new URL(url)
      await writeFile(join(copy, 'standby.signal'), '')
      await writeFile(
        join(copy, 'postgresql.auto.conf'),
        `primary_conninfo = 'host=${hostname} port=${port} user=${username} password=${password}'\n`
      )
      if (cluster.account !== undefined) {
        for (const entry of ['', ...(await readdir(copy, { recursive: true }))])
          await chown(join(copy, entry), cluster.account.uid, cluster.account.gid)
      }
      await chmod(copy, 0o700)
      return serverIn(t, other, false)
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  return client
    .connect()
    .then(
      () => true,
      () => false
    )
    .finally(() => client.end().catch(() => {}))
}

/** A folder that is removed after the test, and that the unprivileged user of PostgreSQL may pass through. */
export async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scs-test-'))
  await chmod(folder, 0o711)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
