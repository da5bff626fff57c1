import { access, constants, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { firstClosed, serverAccount } from './account.js'
import type { Account } from './account.js'
import { systemRoot } from './binaries.js'
import { openFolder } from './copy.js'
import { EmbeddedError, messageOf } from './error.js'

export interface DataDirOptions {
  /** DATA_DIR as the operator set it; absent or empty means the default. */
  explicit?: string | undefined
  /** The default; absent: `data` in `cwd`. */
  byDefault?: string | undefined
  cwd: string
  fallbackRoot?: string | undefined
}

/**
 * The data directory, existing, writable by us and, where we are root, enterable by the user that PostgreSQL will run
 * as.
 */
export async function resolveDataDir({
  explicit,
  byDefault = 'data',
  cwd,
  fallbackRoot = systemRoot
}: DataDirOptions): Promise<{ dataDir: string; notices: string[] }> {
  const wanted = resolve(cwd, explicit || byDefault)
  const account = await serverAccount(join(wanted, 'postgres'))
  const barrier = await closedTo(account, wanted)
  if (barrier === undefined) {
    await makeDataDir(wanted, account)
    return { dataDir: wanted, notices: [] }
  }
  const because = `PostgreSQL does not run as root but as the user "${account?.name}", who cannot enter ${barrier}`
  if (explicit) {
    throw new EmbeddedError(
      `DATA_DIR ${wanted} cannot be used: ${because}. ` +
        `Run "chmod o+x ${barrier}", or choose a DATA_DIR that every user can reach.`
    )
  }
  const dataDir = join(fallbackRoot, 'data')
  const fallbackBarrier = await closedTo(account, dataDir)
  if (fallbackBarrier !== undefined) {
    throw new EmbeddedError(
      `Neither ${wanted} nor ${dataDir} can hold the data: ${because}, nor ${fallbackBarrier}. ` +
        'Set DATA_DIR to a folder that every user can reach.'
    )
  }
  await makeDataDir(dataDir, account)
  return { dataDir, notices: [`The data is in ${dataDir}, because ${because}.`] }
}

/** Which directory on the way keeps the account out, if one does. */
async function closedTo(account: Account | undefined, path: string): Promise<string | undefined> {
  if (account === undefined) return undefined
  const existing = await nearestExisting(path)
  const way = [existing]
  for (let each = existing; dirname(each) !== each;) way.unshift((each = dirname(each)))
  return await firstClosed(account, way)
}

async function nearestExisting(path: string): Promise<string> {
  for (let each = path; ; each = dirname(each)) {
    const found = await stat(each).catch(() => undefined)
    if (found !== undefined && !found.isDirectory())
      throw new EmbeddedError(
        `The data directory ${path} cannot be used: ${each} is not a directory. Set DATA_DIR to another place.`
      )
    if (found !== undefined) return await realpath(each)
    if (dirname(each) === each) return each
  }
}

async function makeDataDir(path: string, account: Account | undefined): Promise<void> {
  await nearestExisting(path)
  try {
    // Closed to others, but for passing through to the cluster where it belongs to another user.
    await openFolder(path, account === undefined ? 0o700 : 0o711)
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new EmbeddedError(
      `The data directory ${path} cannot be written to (${messageOf(error)}). ` +
        'Make it writable for the user who starts the program, or set DATA_DIR to another place.'
    )
  }
}
