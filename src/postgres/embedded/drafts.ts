import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { processIsAlive } from './process.js'

/**
 * A temporary path for a file or folder that a rename publishes when it is complete, so that a crash never leaves an
 * incomplete one under the final name.
 */
export function draftPath(path: string): string {
  return `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** Removes temporary files that crashed processes left. */
export async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.new-`
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(prefix) || processIsAlive(parseInt(name.slice(prefix.length), 10))) continue
    const draft = join(dirname(path), name)
    // Wait five minutes: the initdb of a killed program may still run, and process ids of other containers are unknown
    // here.
    const age = Date.now() - ((await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > 300_000) await rm(draft, { recursive: true, force: true }).catch(() => {})
  }
}
