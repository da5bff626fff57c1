import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { serverAccount, isRoot } from './account.js'
import { attach } from './attach.js'
import type { Attachment } from './attach.js'
import { findBinaries, systemRoot } from './binaries.js'
import { createCluster } from './cluster.js'
import type { Cluster } from './cluster.js'
import { connect, ensureDatabase, localeNotices, readConnectionFile, urlOf, writeConnectionFile } from './connection.js'
import { resolveDataDir } from './data-dir.js'
import { EmbeddedError, HeldError, messageOf } from './error.js'
import { applicationName, leave } from './locks.js'
import type { Mode } from './locks.js'
import { nativeFolder } from './package.js'
import { stopPostmaster } from './postmaster.js'
import type { Settings } from './postmaster.js'
import { findPostmaster } from './process.js'
import { sleep } from './run.js'

export interface OpenOptions {
  /** DATA_DIR as the operator set it; absent for the default. */
  dataDir?: string | undefined
  /** Tells the default, where that is asked for; absent: `data` in `cwd`. */
  defaultDataDir?: (() => string) | undefined
  cwd?: string | undefined
  /** `serve` is the one server of the folder and is refused if there is one; everything else joins. */
  mode: Mode
  /** Where binaries and default data go if root's own folders are closed to the user PostgreSQL runs as. */
  fallbackRoot?: string | undefined
  settings?: Settings | undefined
  /** That a folder is made, and what happens later on; a line at a time, without secrets. */
  log?: ((line: string) => void) | undefined
  nativeDir?: string | undefined
}

export interface Embedded {
  /** Stays true over restarts of PostgreSQL, which keep the port; `lost` tells if one could not. */
  readonly url: string
  readonly dataDir: string
  /** What the operator should be told at the start. */
  readonly notices: string[]
  /** PostgreSQL was running already: an orphan of a killed program, or started by another command. */
  readonly adopted: boolean
  /**
   * Resolves, once, if the database is gone for good: another server has taken the folder, or the port changed. End
   * then.
   */
  readonly lost: Promise<EmbeddedError>
  /** Gives the database up, and stops PostgreSQL if nobody else uses it. */
  close(): Promise<void>
}

export async function openEmbedded(options: OpenOptions): Promise<Embedded> {
  const { mode, settings, log = () => {} } = options
  // First of all: where there is no PostgreSQL, as in the image, it is no help to hear that its folder cannot be made.
  const nativeDir = options.nativeDir ?? nativeFolder()
  const explicit = options.dataDir
  const { dataDir, notices } = await resolveDataDir({
    explicit,
    byDefault: explicit ? undefined : options.defaultDataDir?.(),
    cwd: options.cwd ?? process.cwd(),
    fallbackRoot: options.fallbackRoot
  })
  const dir = join(dataDir, 'postgres')
  const account = await serverAccount(dir)
  const cacheRoot = options.fallbackRoot ?? (isRoot() ? systemRoot : dataDir)
  const binaries = await findBinaries({ account, cacheRoot, nativeDir })
  if (!existsSync(dir)) log(`Making a new data folder: ${dataDir}`)
  const cluster = await createCluster({ dir, binaries, account, durable: settings?.fsync !== 'off' })

  let closing: Promise<void> | undefined
  let recovering: Promise<void> | undefined
  let tellLost: (error: EmbeddedError) => void
  const lost = new Promise<EmbeddedError>(resolve => {
    tellLost = resolve
  })
  const take = (preferredPort?: number) =>
    attach(cluster, { mode, preferredPort, settings, abandoned: () => closing !== undefined })

  let current: Attachment | undefined
  const first = await take((await readConnectionFile(dataDir)).port)
  const { port, started } = first
  try {
    await ensureDatabase(first.client)
    notices.push(...binaries.notices, ...(await localeNotices(first.client)))
    await publish(first)
    watch(first)
  } catch (error) {
    await give(cluster, first)
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

  /** PostgreSQL was killed, or ended its sessions: our locks are gone, and perhaps it is itself. */
  async function recover(): Promise<void> {
    log('The connection to PostgreSQL was lost; bringing it back')
    for (let pause = 100; closing === undefined; pause = Math.min(pause * 2, 5_000)) {
      try {
        const attachment = await take(port)
        await publish(attachment).catch(error => log(messageOf(error)))
        log(`PostgreSQL is back (process ${attachment.pid}, ${attachment.started ? 'restarted' : 'still running'})`)
        if (attachment.port !== port)
          tellLost(
            new EmbeddedError(
              `PostgreSQL had to be restarted on another port, ${attachment.port} instead of ${port}. Start the program again.`
            )
          )
        return watch(attachment)
      } catch (error) {
        if (closing !== undefined) return
        log(messageOf(error))
        if (error instanceof HeldError) return tellLost(error)
        await sleep(pause)
      }
    }
  }

  async function close(): Promise<void> {
    await recovering
    // Taken down while PostgreSQL was away: what may run by now must not stay behind.
    const last = current ?? (await reconnect(cluster, mode))
    if (last !== undefined) await give(cluster, last)
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

async function reconnect(cluster: Cluster, mode: Mode): Promise<Pick<Attachment, 'client'> | undefined> {
  const found = await findPostmaster(cluster.dir)
  return (
    found &&
    (await connect(cluster, found.port, applicationName(mode)).then(
      client => ({ client }),
      () => undefined
    ))
  )
}

/** The last one to leave stops PostgreSQL. */
async function give(cluster: Cluster, { client }: Pick<Attachment, 'client'>): Promise<void> {
  const last = await leave(client).catch(() => false)
  if (last) await stopPostmaster(cluster)
  await client.end().catch(() => {})
}
