import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { applyEdits } from './text/edits.js'

/**
 * What this program has put into a file: where, never what. While the file is as this program left it, taking exactly
 * that out again gives back every byte of what was there before.
 */
export interface Written {
  /** Of the bytes of the file, as this program left it. */
  sha256: string
  /** Step after step, the ranges that the step put in, as they stood after that step. */
  steps: Array<Array<[offset: number, length: number]>>
  /** Whether there was no file before. */
  created: boolean
}

/** By the path of the file. */
export type WrittenFiles = Record<string, Written>

/** Reads the record; one that is missing or cannot be read is empty, and then files are edited by their meaning. */
export async function readRecord(path: string): Promise<WrittenFiles> {
  try {
    const { files } = JSON.parse(await readFile(path, 'utf8')) as { files?: WrittenFiles }
    return Object(files) as WrittenFiles
  } catch {
    return {}
  }
}

export async function writeRecord(path: string, files: WrittenFiles): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${JSON.stringify({ files }, null, 1)}\n`, { mode: 0o600 })
  await rename(draft, path)
}

export function digest(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * The text before this program wrote into it.
 * @returns undefined if the file is not as this program left it
 */
export function textBefore(written: Written | undefined, bytes: Buffer | undefined, text: string): string | undefined {
  if (written === undefined || bytes === undefined || digest(bytes) !== written.sha256) return undefined
  return written.steps.reduceRight(
    (after, ranges) =>
      applyEdits(
        after,
        ranges.map(([offset, length]) => ({ offset, length, text: '' }))
      ),
    text
  )
}
