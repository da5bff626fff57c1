import { randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { processIsAlive } from './process.js'

/**
 * Where something is made before a rename puts it in its place whole: what is killed half-way is never taken for the
 * thing.
 */
export function draftOf(path: string): string {
  return `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** Drafts of programs that were killed. */
export async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.new-`
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(prefix) || processIsAlive(parseInt(name.slice(prefix.length), 10))) continue
    const draft = join(dirname(path), name)
    // The initdb of a program that was killed may still be at work, and in another container our process numbers mean
    // nothing.
    const age = Date.now() - ((await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now())
    if (age > 300_000) await rm(draft, { recursive: true, force: true }).catch(() => {})
  }
}
