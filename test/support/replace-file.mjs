import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file as a whole: another test may be reading it, or writing the same. */
export function replaceFile(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  const written = `${path}.${randomUUID()}`
  writeFileSync(written, text)
  renameSync(written, path)
}
