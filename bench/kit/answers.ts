/** Reads the frames of HTTP/1.1 answers. */

const HEAD_END = Buffer.from('\r\n\r\n')

/** @returns the bytes of the answer; 0 if its head is incomplete, -1 if it comes in chunks */
export function lengthOf(data: Buffer): number {
  const end = data.indexOf(HEAD_END)
  if (end < 0) return 0
  const head = data.toString('latin1', 0, end)
  const found = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (found !== null) return end + 4 + Number(found[1])
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? -1 : end + 4
}

/** Whether the last chunk has come. It reads chunk by chunk, since content may contain what looks like the end. */
export function chunksEnd(data: Buffer): boolean {
  return [...chunks(data)].at(-1)?.length === 0
}

export function unchunked(data: Buffer): Buffer {
  return Buffer.concat([...chunks(data)])
}

function* chunks(data: Buffer): Iterable<Buffer> {
  for (let at = data.indexOf(HEAD_END) + 4; ;) {
    const end = data.indexOf('\r\n', at)
    if (end < 0) return
    const size = Number.parseInt(data.toString('latin1', at, end), 16)
    if (data.length < end + 2 + size + 2) return
    yield data.subarray(end + 2, end + 2 + size)
    if (size === 0) return
    at = end + 2 + size + 2
  }
}
