import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Binaries, executable } from './binaries.js'
import { EmbeddedError, codeOf, messageOf } from './error.js'
import { publish } from './files.js'
import { type Account, run } from './run.js'

/** A database cluster on disk, with everything needed to run it. */
export interface Cluster {
  dir: string
  logFile: string
  binaries: Binaries
  account: Account | undefined
  password: string
}

export interface ClusterOptions {
  dir: string
  binaries: Binaries
  account?: Account | undefined
  /** The log file of PostgreSQL; default: `<dir>.log`. */
  logFile?: string
  /** False skips initdb's sync to disk, for temporary clusters. */
  durable?: boolean
}

/** Stored inside the cluster, so that a backup or restore includes both or neither. */
const passwordFile = 'shared-context-server.password'

/**
 * Opens the cluster in this folder, and creates it if there is none. Several processes may call it at once.
 * @throws EmbeddedError if the folder cannot be used or holds another PostgreSQL version
 */
export async function createCluster({
  dir,
  binaries,
  account,
  logFile = `${dir}.log`,
  durable = true
}: ClusterOptions): Promise<Cluster> {
  if (await isMissing(dir)) await initialise(dir, binaries, account, durable)
  const version = (await readFile(join(dir, 'PG_VERSION'), 'utf8').catch(reason => unreadable(dir, reason))).trim()
  if (!/^\d+(\.\d+)?$/.test(version))
    throw new EmbeddedError(
      `${join(dir, 'PG_VERSION')} is ${version === '' ? 'empty' : 'damaged'}, so the database may be too. ` +
        'Restore the folder from a backup, or set DATA_DIR to another folder and start afresh.'
    )
  if (version !== String(binaries.major)) {
    throw new EmbeddedError(
      `${dir} was written by PostgreSQL ${version}, and the embedded one is ${binaries.version}, ` +
        'which cannot read it. Install the release of this program that wrote it and run "backup create". Then set ' +
        'DATA_DIR to another folder and run "backup restore" with this release.'
    )
  }
  await adjustOwner(dir, account)
  const password = (await readFile(join(dir, passwordFile), 'utf8').catch(reason => unreadable(dir, reason))).trim()
  return { dir, binaries, account, logFile, password }
}

async function initialise(
  dir: string,
  binaries: Binaries,
  account: Account | undefined,
  durable: boolean
): Promise<void> {
  try {
    await publish(dir, async draft => {
      const secret = `${draft}.password`
      await mkdir(draft, { mode: 0o700 })
      await writeFile(secret, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
      try {
        if (account !== undefined) for (const path of [secret, draft]) await chown(path, account.uid, account.gid)
        const args = ['-D', draft, '-U', 'postgres', '-E', 'UTF8', '-A', 'scram-sha-256', `--pwfile=${secret}`]
        if (!durable) args.push('--no-sync')
        await initdb(executable(binaries.binDir, 'initdb'), args, account)
        await rename(secret, join(draft, passwordFile))
      } finally {
        await rm(secret, { force: true })
      }
    })
    if (durable) await syncDirectory(dirname(dir))
  } catch (error) {
    throw new EmbeddedError(`The database could not be created in ${dir} (${messageOf(error)}).`)
  }
}

/**
 * Runs initdb with the first locale that works. Under LC_CTYPE=C, pg_trgm finds no letters outside ASCII, whatever the
 * encoding. Every current Linux has C.UTF-8; elsewhere a named locale works as well, with collation C to sort by code
 * points.
 */
async function initdb(file: string, args: string[], account: Account | undefined): Promise<void> {
  const named = (locale: string) => [`--locale=${locale}`, '--lc-collate=C']
  const builtin = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const locales =
    process.platform === 'win32'
      ? [named('en-US'), builtin]
      : process.platform === 'darwin'
        ? [named('en_US.UTF-8'), builtin]
        : [['--locale=C.UTF-8'], named('en_US.UTF-8'), builtin]
  let output_text = ''
  for (const locale of locales) {
    const { code, output } = await run(file, [...args, ...locale], account)
    if (code === 0) return
    output_text = output
    // initdb always prints the locale. Only an error about it means that another locale may work.
    if (!/(error|fatal): .*locale/i.test(output)) break
  }
  throw new Error(
    output_text
      .split('\n')
      .filter(line => /error|fatal|could not|cannot/i.test(line))
      .join('; ') || output_text
  )
}

async function isMissing(dir: string): Promise<boolean> {
  try {
    if (!(await stat(dir)).isDirectory())
      throw new EmbeddedError(
        `${dir} is not a directory, but the database would be stored there. ` +
          'Move it away, or set DATA_DIR to another place.'
      )
    const names = await readdir(dir)
    if (names.length > 0 && !names.includes('PG_VERSION'))
      throw new EmbeddedError(
        `${dir} holds files, but no PostgreSQL database. Move it away, or set DATA_DIR to another place.`
      )
    return names.length === 0
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    if (error instanceof EmbeddedError) throw error
    unreadable(dir, error)
  }
}

/**
 * Sets owner and mode of the cluster. A cluster that root restored, or that comes from another machine, belongs to a
 * user who cannot run it here. PostgreSQL also demands mode 0700.
 */
async function adjustOwner(dir: string, account: Account | undefined): Promise<void> {
  const { uid, mode } = await stat(dir)
  if (account !== undefined && uid !== account.uid) await chownTree(dir, account)
  const own = process.geteuid?.()
  if (account === undefined && own !== undefined && uid !== own)
    unreadable(dir, `it belongs to the user with id ${uid}`)
  if (process.platform !== 'win32' && (mode & 0o027) !== 0) await chmod(dir, 0o700)
}

async function chownTree(path: string, account: Account): Promise<void> {
  if ((await lstat(path)).isSymbolicLink()) return
  await chown(path, account.uid, account.gid)
  const entries = await readdir(path).catch(error => {
    if (codeOf(error) === 'ENOTDIR') return []
    throw error
  })
  for (const entry of entries) await chownTree(join(path, entry), account)
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

function unreadable(dir: string, error: unknown): never {
  throw new EmbeddedError(
    `The database in ${dir} cannot be used (${messageOf(error)}). ` +
      'Start the program as the user who owns that folder, or set DATA_DIR to another place.'
  )
}
