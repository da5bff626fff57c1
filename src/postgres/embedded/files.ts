import { randomBytes } from 'node:crypto'
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { processIsAlive } from './process.js'

/** The age at which a draft is removed: the initdb of a killed program may still run, perhaps in another container. */
const LEFT_OVER_MS = 300_000

/**
 * Makes a file or folder under a temporary path and renames it when it is complete, so that a crash never leaves an
 * incomplete one. If another process was first with the folder, that one stays.
 * @param make must leave nothing but the draft, and paths that begin with the draft's
 */
export async function publish(path: string, make: (draft: string) => Promise<void>): Promise<void> {
  await removeLeftOvers(path)
  const draft = `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    await make(draft)
    await rename(draft, path).catch(async error => {
      if (!(await isFolder(path))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function removeLeftOvers(path: string): Promise<void> {
  const prefix = `${basename(path)}.new-`
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(prefix) || processIsAlive(parseInt(name.slice(prefix.length), 10))) continue
    const draft = join(dirname(path), name)
    const age = Date.now() - ((await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > LEFT_OVER_MS) await rm(draft, { recursive: true, force: true }).catch(() => {})
  }
}

/**
 * Creates a folder and its missing parents with this mode, whatever the umask is. One after the other: with
 * `recursive`, Node tries for ever where the system says of a folder that is there that it is not, as Linux does below
 * /proc.
 */
export async function createAccessibleFolder(path: string, mode = 0o755): Promise<void> {
  const missing: string[] = []
  for (let folder = path; !(await isFolder(folder)); folder = dirname(folder)) {
    missing.unshift(folder)
    if (dirname(folder) === folder) break
  }
  for (const folder of missing) {
    try {
      await mkdir(folder)
    } catch (error) {
      // Another process was faster.
      if (await isFolder(folder)) continue
      throw error
    }
    if (process.platform !== 'win32') await chmod(folder, mode)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/** Copies a folder so that every user can read it. Links and static libraries (`.a`) are left out. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await copyTree(source, target)
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target)
      await chmod(target, (await stat(source)).mode & 0o100 ? 0o755 : 0o644)
    }
  }
}
