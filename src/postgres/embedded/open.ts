import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverAccount, isRoot } from './account.js'
import { attach, type Attachment } from './attach.js'
import { findBinaries, nativeFolder, systemRoot } from './binaries.js'
import { type Cluster, createCluster } from './cluster.js'
import { connect, ensureDatabase, readConnectionFile, urlOf, writeConnectionFile } from './connection.js'
import { resolveDataDir } from './data-dir.js'
import { EmbeddedError, InUseError, messageOf } from './error.js'
import { applicationName, type Mode, releaseLocks } from './locks.js'
import { type Settings, stopPostmaster } from './postmaster.js'
import { findPostmaster } from './process.js'

export interface OpenOptions {
  /** DATA_DIR as the operator set it; absent for the default. */
  dataDir?: string | undefined
  /** Returns the default folder; absent: `data` in `cwd`. */
  defaultDataDir?: (() => string) | undefined
  cwd?: string | undefined
  /** `serve`: the only server of the folder, refused if there is another. `join`: shares the database. */
  mode: Mode
  /** Folder for binaries and data if the user who runs PostgreSQL cannot enter the default folders of root. */
  fallbackRoot?: string | undefined
  settings?: Settings | undefined
  /** Receives notices, one line at a time and without secrets: a new folder, a lost connection, a restart. */
  log?: ((line: string) => void) | undefined
  nativeDir?: string | undefined
}

export interface Embedded {
  /** Stays valid when PostgreSQL restarts, because the port stays; if it cannot, `lost` resolves. */
  readonly url: string
  readonly dataDir: string
  /** Messages for the operator at startup. */
  readonly notices: string[]
  /** True if PostgreSQL was already running, left by a killed program or started by another command. */
  readonly adopted: boolean
  /**
   * Resolves if the database is lost for good: another server has taken the folder, or the port has changed. The
   * process should then exit.
   */
  readonly lost: Promise<EmbeddedError>
  /** Releases the database, and stops PostgreSQL if no other process uses it. */
  close(): Promise<void>
}

export async function openEmbedded(options: OpenOptions): Promise<Embedded> {
  const { mode, settings, log = () => {} } = options
  // Check this first: without PostgreSQL binaries, as in the container image, a message about its folder would mislead.
  const nativeDir = options.nativeDir ?? nativeFolder()
  const explicit = options.dataDir
  const { dataDir, notices } = await resolveDataDir({
    explicit,
    defaultDir: explicit ? undefined : options.defaultDataDir?.(),
    cwd: options.cwd ?? process.cwd(),
    fallbackRoot: options.fallbackRoot
  })
  const dir = join(dataDir, 'postgres')
  const account = await serverAccount(dir)
  const cacheRoot = options.fallbackRoot ?? (isRoot() ? systemRoot : dataDir)
  const binaries = await findBinaries({ account, cacheRoot, nativeDir })
  if (!existsSync(dir)) log(`Creating a new data folder: ${dataDir}`)
  const cluster = await createCluster({ dir, binaries, account, durable: settings?.fsync !== 'off' })

  let closing: Promise<void> | undefined
  let recovering: Promise<void> | undefined
  let reportLost: (error: EmbeddedError) => void
  const lost = new Promise<EmbeddedError>(resolve => {
    reportLost = resolve
  })
  const attachAgain = (preferredPort?: number) =>
    attach(cluster, { mode, preferredPort, settings, isCancelled: () => closing !== undefined })

  let current: Attachment | undefined
  const first = await attachAgain((await readConnectionFile(dataDir)).port)
  const { port, started } = first
  try {
    await ensureDatabase(first.client)
    notices.push(...binaries.notices)
    await publish(first)
    watch(first)
  } catch (error) {
    await detach(cluster, first)
    throw error instanceof EmbeddedError
      ? error
      : new EmbeddedError(
          `PostgreSQL in ${dir} went away during the start (${messageOf(error)}). Start the program again.`
        )
  }

  function watch(attachment: Attachment): void {
    current = attachment
    void attachment.ended.then(() => {
      current = undefined
      if (closing === undefined) recovering = recover()
    })
  }

  async function publish(attachment: Attachment): Promise<void> {
    const known = await readConnectionFile(dataDir)
    if (known.pid !== attachment.pid || known.port !== attachment.port)
      await writeConnectionFile(dataDir, cluster, attachment)
  }

  /** Reconnects after PostgreSQL was killed or closed its sessions, which also releases the locks. */
  async function recover(): Promise<void> {
    log('The connection to PostgreSQL was lost; reconnecting')
    for (let pause = 100; closing === undefined; pause = Math.min(pause * 2, 5_000)) {
      try {
        const attachment = await attachAgain(port)
        await publish(attachment).catch(error => log(messageOf(error)))
        log(`PostgreSQL is back (process ${attachment.pid}, ${attachment.started ? 'restarted' : 'still running'})`)
        if (attachment.port !== port)
          reportLost(
            new EmbeddedError(
              `PostgreSQL had to be restarted on another port, ${attachment.port} instead of ${port}. ` +
                'Start the program again.'
            )
          )
        return watch(attachment)
      } catch (error) {
        if (closing !== undefined) return
        log(messageOf(error))
        if (error instanceof InUseError) return reportLost(error)
        await sleep(pause)
      }
    }
  }

  async function close(): Promise<void> {
    await recovering
    if (current !== undefined) return detach(cluster, current)
    // If the connection is lost right now, reconnect, so that PostgreSQL does not stay running.
    const found = await findPostmaster(cluster.dir)
    if (found === undefined) return
    const client = await connect(cluster, found.port, applicationName(mode)).catch(() => undefined)
    if (client !== undefined) await detach(cluster, { client })
  }

  return {
    url: urlOf(cluster, port),
    dataDir,
    notices,
    adopted: !started,
    lost,
    close: () => (closing ??= Promise.resolve().then(close))
  }
}

/** Releases the locks; the last process stops PostgreSQL. */
async function detach(cluster: Cluster, { client }: Pick<Attachment, 'client'>): Promise<void> {
  const last = await releaseLocks(client).catch(() => false)
  if (last) await stopPostmaster(cluster)
  await client.end().catch(() => {})
}
