import { open } from 'node:fs/promises'
import { headLine, type SignedHead } from './keys.js'

/**
 * Returns a function that passes a head to `report`, then appends it to the file as one line of JSON and syncs the file
 * to disk.
 * @param file undefined: write no file
 */
export function keepHeads(
  file: string | undefined,
  report: (head: SignedHead) => void,
  onFault: (error: unknown) => void
): (head: SignedHead) => Promise<void> {
  return async head => {
    report(head)
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
    // A full disk or a crash may have left an incomplete line. Start a new one after it.
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    await handle.appendFile(size > 0 && last.toString() !== '\n' ? `\n${line}` : line)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
