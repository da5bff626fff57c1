import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { splitLines } from '../kernel/lines.js'
import { BackupFault } from './backup-file.js'

/** Backups are compressed lines. Both ways take one piece at a time: a backup may be larger than memory. */

/** Lines are compressed so many characters at a time. */
const PIECE = 64 * 1024

/** Writes lines compressed, and ends the stream. */
export async function writeLines(out: Writable, lines: AsyncIterable<string>): Promise<void> {
  const gzip = createGzip()
  const done = new Promise<void>((resolve, reject) => {
    out.on('error', reject)
    gzip.on('error', reject)
    gzip.on('end', resolve)
  })
  // What fails is told by `done`, which may be before anybody waits for it.
  done.catch(() => {})
  gzip.pipe(out, { end: false })
  let piece = ''
  const write = async () => {
    if (!gzip.write(piece)) await Promise.race([once(gzip, 'drain'), done])
    piece = ''
  }
  for await (const line of lines) {
    piece += `${line}\n`
    if (piece.length >= PIECE) await write()
  }
  await write()
  gzip.end()
  await done
}

/** @throws BackupFault if it is not compressed as a whole */
export async function* readLines(from: Readable): AsyncGenerator<string> {
  const text = from.pipe(createGunzip()).setEncoding('utf8')
  from.on('error', error => text.destroy(error))
  try {
    yield* splitLines(text)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!code.startsWith('Z_')) throw error
    throw new BackupFault(
      code === 'Z_BUF_ERROR' ? 'The backup is cut off: its end is missing.' : 'This is no backup, or it was damaged.'
    )
  }
}
