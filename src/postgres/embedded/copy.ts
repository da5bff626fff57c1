import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { draftPath, removeDrafts } from './drafts.js'
import { EmbeddedError, messageOf, useDatabaseUrl } from './error.js'

/**
 * Copies bin/, lib/ and share/ to a folder that every user can read. A rename publishes the copy, so an existing copy
 * is complete.
 * @throws EmbeddedError if the target cannot be written
 */
export async function copyBinaries(nativeDir: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return
  const draft = draftPath(target)
  await removeDrafts(target)
  try {
    await createAccessibleFolder(dirname(target))
    await copyTree(nativeDir, draft)
    await rename(draft, target).catch(async error => {
      // Another process has created the copy first.
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

/** Creates a folder and its missing parents with this mode, whatever the umask is. */
export async function createAccessibleFolder(path: string, mode = 0o755): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined || process.platform === 'win32') return
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, mode)
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    // Links are recreated from pg-symlinks.json. Static libraries are not needed at run time.
    if (entry.isDirectory()) await copyTree(source, join(to, entry.name))
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, join(to, entry.name))
      await chmod(join(to, entry.name), (await stat(source)).mode & 0o100 ? 0o755 : 0o644)
    }
  }
}
