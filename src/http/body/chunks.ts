import type { IncomingMessage } from 'node:http'
import { AppError } from '../../kernel/errors.js'

/** Chunks of one body that may be as small as they like; of all beyond, the average is to be so many bytes. */
const FREE = 128
const AVERAGE_BYTES = 1024
const TOO_SMALL = 'too small chunks'

const refused = new WeakSet<IncomingMessage>()

/**
 * Drops the chunks of a body from where there are too many small ones. Node makes an object of some hundred bytes for
 * each, before anybody reads the body, and 64 KiB from the network can be ten thousand of them: with a few hundred
 * connections, all memory. To be called before any of the body has been read.
 */
export function guardChunks(request: IncomingMessage): void {
  // Other bodies come as they are read from the network.
  if (request.headers['transfer-encoding'] === undefined) return
  const push = request.push.bind(request)
  let chunks = 0
  let bytes = 0
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) return push(chunk, encoding)
    // Not taken: Node reads no further for now.
    if (refused.has(request)) return false
    bytes += chunk.length
    if (++chunks <= FREE + bytes / AVERAGE_BYTES) return push(chunk, encoding)
    refused.add(request)
    request.emit(TOO_SMALL)
    return false
  }
}

/** Calls once the chunks of a body are too small. @returns what takes it back */
export function onTooSmall(request: IncomingMessage, then: (error: AppError) => void): () => void {
  const tell = () => {
    then(tooSmallChunks())
  }
  if (refused.has(request)) tell()
  else request.once(TOO_SMALL, tell)
  return () => {
    request.off(TOO_SMALL, tell)
  }
}

function tooSmallChunks(): AppError {
  return new AppError('INVALID_INPUT', 'The request body comes in too many small chunks.', {
    context: {
      given: 'smaller chunks',
      allowed: `${FREE} chunks of any size, and at least ${AVERAGE_BYTES} bytes on average beyond these`
    },
    suggestions: ['Send the body with a Content-Length, or in larger chunks']
  })
}
