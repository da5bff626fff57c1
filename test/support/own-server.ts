import { chmod, chown, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startPostmaster, stopPostmaster, urlOf } from '../../src/postgres/embedded/index.js'
import { clusterIn } from './cluster.js'
import { quietPort } from './ports.js'

export interface OwnServer {
  url: string
  start: () => Promise<void>
  stop: () => Promise<void>
  /** Makes a streaming standby of it, while it is stopped. The standby is not started yet. */
  standby: (t: Test) => Promise<OwnServer>
}

/** A PostgreSQL of a test's own, to be stopped and started under a running server. */
export async function ownServer(t: Test): Promise<OwnServer> {
  const server = await serverIn(t, await temporaryFolder(t))
  await server.start()
  return server
}

/** Runs the cluster in a folder, which is made first if there is none. */
async function serverIn(t: Test, folder: string): Promise<OwnServer> {
  const cluster = await clusterIn(folder)
  const port = await quietPort()
  const url = urlOf(cluster, port, 'postgres')
  const stop = () => stopPostmaster(cluster)
  t.teardown(async () => {
    await stop().catch(() => {})
  })
  return {
    url,
    async start() {
      const started = await startPostmaster(cluster, port, { fsync: 'off' })
      if (!('pid' in started)) throw new Error(`PostgreSQL did not start: ${started.problem}`)
    },
    stop,
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
      return serverIn(t, other)
    }
  }
}

/** A folder that is removed after the test, and that the unprivileged user of PostgreSQL may pass through. */
export async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scs-test-'))
  await chmod(folder, 0o711)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
