import { spawnSync } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ROOT } from '../helper.js'
import { temporaryFolder } from '../support/own-server.js'

/** The program before the migrations that no release has yet, built from the history of this repository. */

/** The last commit whose migrations end with 0018. */
const COMMIT = process.env.LAST_RELEASE ?? '0e924f9a8dbef08740366a18e6280dd3101f9b4a'

/**
 * Its packages are those of this checkout: what it uses of them has the same versions.
 * @returns the compiled program; undefined: this copy of the repository has not got that commit
 */
export async function buildLastRelease(t: Test): Promise<string | undefined> {
  const git = (...args: string[]) =>
    spawnSync('git', ['-C', ROOT, ...args], { maxBuffer: 256 * 1024 * 1024, env: process.env })
  if (git('cat-file', '-e', `${COMMIT}^{commit}`).status !== 0) return undefined
  const folder = await temporaryFolder(t)
  const unpacked = spawnSync('tar', ['-x', '-C', folder], { input: git('archive', COMMIT).stdout })
  if (unpacked.status !== 0) throw new Error(`The last release was not unpacked: ${String(unpacked.stderr)}`)
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir')
  const built = spawnSync(process.execPath, [join(folder, 'scripts', 'start.js'), 'build'], { cwd: folder })
  if (built.status !== 0) throw new Error(`The last release does not compile: ${String(built.stderr)}`)
  return join(folder, 'dist', 'src', 'cli.js')
}
