import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { draftOf, removeDrafts } from './drafts.js'
import { EmbeddedError, messageOf, useDatabaseUrl } from './error.js'

/**
 * Copies bin/, lib/ and share/ to where everybody can read them. Whole or not at all, so that a copy that exists can be
 * trusted.
 */
export async function copyBinaries(nativeDir: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return
  const draft = draftOf(target)
  await removeDrafts(target)
  try {
    await openFolder(dirname(target))
    await copyTree(nativeDir, draft)
    await rename(draft, target).catch(async error => {
      // Another start has put its own there first.
      if (!(await stat(target).catch(() => undefined))) throw error
    })
  } catch (error) {
    throw new EmbeddedError(
      `PostgreSQL's programs could not be copied from ${nativeDir} to ${target} (${messageOf(error)}): ` +
        `make that folder writable, or ${useDatabaseUrl}.`
    )
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Creates a folder and what is missing above it, enterable by everybody whatever the umask is. */
export async function openFolder(path: string, mode = 0o755): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined || process.platform === 'win32') return
  for (let each = path; each.length >= first.length; each = dirname(each)) await chmod(each, mode)
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    // Links are made anew from pg-symlinks.json; the static libraries are for linking programs.
    if (entry.isDirectory()) await copyTree(source, join(to, entry.name))
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, join(to, entry.name))
      await chmod(join(to, entry.name), (await stat(source)).mode & 0o100 ? 0o755 : 0o644)
    }
  }
}
