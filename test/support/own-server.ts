import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createCluster, findBinaries, serverAccount, startPostmaster, stopPostmaster, urlOf } from '../../src/db/embedded.js'
import { quietPort } from './ports.js'

/** A PostgreSQL of a test's own, to be stopped and started under a running server. */
export async function ownServer (t: Test): Promise<{ url: string, start: () => Promise<void>, stop: () => Promise<void> }> {
  const folder = await temporaryFolder(t)
  const account = await serverAccount()
  const binaries = await findBinaries({ account, cacheRoot: join(tmpdir(), 'scs-test-binaries') })
  const cluster = await createCluster({ dir: join(folder, 'postgres'), binaries, account, logFile: join(folder, 'postgres.log'), durable: false })
  const port = await quietPort()
  const start = async () => {
    const started = await startPostmaster(cluster, port, { fsync: 'off' })
    if (!('pid' in started)) throw new Error(`PostgreSQL did not start: ${started.problem}`)
  }
  const stop = () => stopPostmaster(cluster)
  t.teardown(async () => { await stop().catch(() => {}) })
  await start()
  return { url: urlOf(cluster, port, 'postgres'), start, stop }
}

/** A folder that is removed after the test, and that the unprivileged user of PostgreSQL may pass through. */
export async function temporaryFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scs-test-'))
  await chmod(folder, 0o711)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}
