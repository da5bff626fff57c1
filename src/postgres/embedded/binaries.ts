import { chmod, readFile, stat, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { isRoot, serverAccount } from './account.js'
import type { Account } from './account.js'
import { copyBinaries } from './copy.js'
import { EmbeddedError, codeOf, useDatabaseUrl } from './error.js'
import { nativeFolder } from './package.js'
import { run } from './run.js'

export interface Binaries {
  binDir: string
  version: string
  major: number
  notices: string[]
}

export interface BinariesOptions {
  /** The user that runs them; default: the result of `serverAccount`. */
  account?: Account | undefined
  /** Where to copy the binaries if the installed ones cannot be used: `<cacheRoot>/bin/<version>`. */
  cacheRoot?: string | undefined
  /** The folder with bin/, lib/ and share/, instead of the npm package's. */
  nativeDir?: string | undefined
  platform?: string
  arch?: string
}

export const systemRoot = '/var/lib/shared-context-server'

export function executable(binDir: string, name: 'initdb' | 'postgres' | 'pg_ctl'): string {
  return join(binDir, process.platform === 'win32' ? `${name}.exe` : name)
}

/**
 * Finds PostgreSQL's programs in a folder from which the account can run them.
 * @throws EmbeddedError if they cannot run on this machine
 */
export async function findBinaries(options: BinariesOptions = {}): Promise<Binaries> {
  const { account = await serverAccount(), platform = process.platform, arch = process.arch } = options
  const nativeDir = options.nativeDir ?? nativeFolder(platform, arch)
  const complete = await repair(nativeDir)
  const installed = await tryBinaries(join(nativeDir, 'bin'), account)
  if (typeof installed !== 'string') return installed

  // A copy helps only if the folder is the problem: the account cannot enter it, or it is read-only and incomplete.
  const isInaccessible = account !== undefined && typeof (await tryBinaries(join(nativeDir, 'bin'))) !== 'string'
  if (complete && !isInaccessible) throw unusable(installed)
  const cacheRoot = options.cacheRoot ?? (isRoot() ? systemRoot : join(homedir(), '.cache', 'shared-context-server'))
  const target = join(cacheRoot, 'bin', `${await packageVersion(nativeDir)}-${platform}-${arch}`)
  await copyBinaries(nativeDir, target)
  await repair(target)
  const copied = await tryBinaries(join(target, 'bin'), account)
  if (typeof copied === 'string') throw unusable(copied)
  const reason = isInaccessible
    ? `the user "${account.name}" cannot reach ${nativeDir}`
    : `${nativeDir} is incomplete and cannot be written to`
  return { ...copied, notices: [`PostgreSQL's programs are used from ${target}, because ${reason}.`] }
}

function unusable(reason: string): EmbeddedError {
  return new EmbeddedError(`The embedded PostgreSQL does not run on this machine (${reason}): ${useDatabaseUrl}.`)
}

async function tryBinaries(binDir: string, account?: Account): Promise<Binaries | string> {
  const { code, output } = await run(executable(binDir, 'postgres'), ['--version'], account)
  const version = /\(PostgreSQL\) (\d+)\S*/.exec(output)
  if (code !== 0 || version === null) return output.split('\n')[0] ?? ''
  return { binDir, version: version[0].slice('(PostgreSQL) '.length), major: Number(version[1]), notices: [] }
}

/**
 * Does the work of the package's install script, which npm may not have run: creates the libraries' symbolic links,
 * which a tarball cannot contain, and sets the executable bits.
 * @returns false if something is missing and could not be added
 */
async function repair(nativeDir: string): Promise<boolean> {
  let complete = true
  const list = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as Array<{ source: string; target: string }>) {
    const link = join(nativeDir, relative('native', target))
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') complete = false
    }
  }
  if (process.platform === 'win32') return complete
  for (const name of ['initdb', 'postgres', 'pg_ctl'] as const) {
    const file = executable(join(nativeDir, 'bin'), name)
    try {
      if (((await stat(file)).mode & 0o111) !== 0o111) await chmod(file, 0o755)
    } catch {
      complete = false
    }
  }
  return complete
}

async function packageVersion(nativeDir: string): Promise<string> {
  const manifest = await readFile(join(nativeDir, '..', 'package.json'), 'utf8').catch(() => '{}')
  return String((JSON.parse(manifest) as { version?: string }).version ?? 'unversioned')
}
