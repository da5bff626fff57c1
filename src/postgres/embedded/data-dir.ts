import { access, constants, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { firstInaccessible, serverAccount } from './account.js'
import { systemRoot } from './binaries.js'
import { EmbeddedError, messageOf } from './error.js'
import { createAccessibleFolder } from './files.js'
import type { Account } from './run.js'

export interface DataDirOptions {
  /** DATA_DIR as the operator set it; absent or empty means the default. */
  explicit?: string | undefined
  /** The default; absent: `data` in `cwd`. */
  defaultDir?: string | undefined
  cwd: string
  fallbackRoot?: string | undefined
}

/**
 * Creates the data directory if necessary, and checks that this process can write to it and that the user who runs
 * PostgreSQL can enter it.
 * @throws EmbeddedError if no suitable directory can be used
 */
export async function resolveDataDir({
  explicit,
  defaultDir = 'data',
  cwd,
  fallbackRoot = systemRoot
}: DataDirOptions): Promise<{ dataDir: string; notices: string[] }> {
  const preferred = resolve(cwd, explicit || defaultDir)
  const account = await serverAccount(join(preferred, 'postgres'))
  const barrier = await inaccessibleParent(account, preferred)
  if (barrier === undefined) {
    await createDataDir(preferred, account)
    return { dataDir: preferred, notices: [] }
  }
  const reason = `PostgreSQL does not run as root but as the user "${account?.name}", who cannot enter ${barrier}`
  if (explicit) {
    throw new EmbeddedError(
      `DATA_DIR ${preferred} cannot be used: ${reason}. ` +
        `Run "chmod o+x ${barrier}", or choose a DATA_DIR that every user can reach.`
    )
  }
  const dataDir = join(fallbackRoot, 'data')
  const fallbackBarrier = await inaccessibleParent(account, dataDir)
  if (fallbackBarrier !== undefined) {
    throw new EmbeddedError(
      `Neither ${preferred} nor ${dataDir} can hold the data: ${reason}, nor ${fallbackBarrier}. ` +
        'Set DATA_DIR to a folder that every user can reach.'
    )
  }
  await createDataDir(dataDir, account)
  return { dataDir, notices: [`The data is in ${dataDir}, because ${reason}.`] }
}

/** The first directory of the path that the account cannot enter, if any. */
async function inaccessibleParent(account: Account | undefined, path: string): Promise<string | undefined> {
  if (account === undefined) return undefined
  const parents = [await nearestExisting(path)]
  for (let [folder] = parents as [string]; dirname(folder) !== folder;) parents.unshift((folder = dirname(folder)))
  return firstInaccessible(account, parents)
}

async function nearestExisting(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined)
    if (found !== undefined && !found.isDirectory())
      throw new EmbeddedError(
        `The data directory ${path} cannot be used: ${folder} is not a directory. Set DATA_DIR to another place.`
      )
    if (found !== undefined) return realpath(folder)
    if (dirname(folder) === folder) return folder
  }
}

async function createDataDir(path: string, account: Account | undefined): Promise<void> {
  await nearestExisting(path)
  try {
    // Private; if another user runs PostgreSQL, others may pass through it to the cluster.
    await createAccessibleFolder(path, account === undefined ? 0o700 : 0o711)
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new EmbeddedError(
      `The data directory ${path} cannot be written to (${messageOf(error)}). ` +
        'Make it writable for the user who starts the program, or set DATA_DIR to another place.'
    )
  }
}
