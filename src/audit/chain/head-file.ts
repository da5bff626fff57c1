import { open } from 'node:fs/promises'
import { headLine, type SignedHead } from './keys.js'

/**
 * Tells each head to `tell`, and appends it to a file as one line of JSON that is on the disk before the next comes.
 * @param file undefined: no file
 */
export function keepHeads(
  file: string | undefined,
  tell: (head: SignedHead) => void,
  onFault: (error: unknown) => void
): (head: SignedHead) => Promise<void> {
  return async head => {
    tell(head)
    if (file === undefined) return
    try {
      await append(file, `${JSON.stringify(headLine(head))}\n`)
    } catch (error) {
      onFault(error)
    }
  }
}

async function append(file: string, line: string): Promise<void> {
  const handle = await open(file, 'a+', 0o600)
  try {
    const { size } = await handle.stat()
    const last = Buffer.alloc(1)
    // What was broken off in the middle of a line, by a full disk or a kill, must not spoil this one.
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    await handle.appendFile(size > 0 && last.toString() !== '\n' ? `\n${line}` : line)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
