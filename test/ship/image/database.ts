import { chmod, mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  createCluster,
  findBinaries,
  freePort,
  serverAccount,
  startPostmaster,
  stopPostmaster,
  urlOf
} from '../../../src/postgres/embedded/index.js'

/** Debian's PostgreSQL, the newest that is on this machine, with a cluster of its own on a loopback port. */
export async function startPostgres(folder: string) {
  const nativeDir = ['17', '16', '15'].map(major => `/usr/lib/postgresql/${major}`).find(existsSync)
  if (nativeDir === undefined) throw new Error("Debian's PostgreSQL is not here: apt-get install postgresql-15")
  await mkdir(folder)
  // As root, PostgreSQL runs as another user, who has to get through here.
  await chmod(folder, 0o711)
  const account = await serverAccount()
  const binaries = await findBinaries({ account, nativeDir })
  const cluster = await createCluster({
    dir: join(folder, 'data'),
    logFile: join(folder, 'log'),
    ...{ account, binaries, durable: false }
  })
  const port = await freePort()
  const started = await startPostmaster(cluster, port)
  if (!('pid' in started)) throw new Error(`PostgreSQL did not start: ${started.problem}`)
  return { url: urlOf(cluster, port, 'postgres'), version: binaries.version, stop: () => stopPostmaster(cluster) }
}
