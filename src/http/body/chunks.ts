import type { IncomingMessage } from 'node:http'
import { AppError } from '../../kernel/errors.js'
import { refuseBody } from './refusals.js'

/** This many chunks of a body may have any size. Beyond them, chunks must have this average size. */
const FREE_CHUNKS = 128
const AVERAGE_MIN_BYTES = 512

/**
 * Drops further chunks of a body once too many are small. Node creates an object of some hundred bytes for each chunk
 * before the body is read, and 64 KiB from the network can contain ten thousand chunks: a few hundred connections could
 * use up all memory. Call this before any of the body has been read.
 */
export function guardChunks(request: IncomingMessage): void {
  // Bodies without chunked encoding arrive in the pieces that the network delivers.
  if (request.headers['transfer-encoding'] === undefined) return
  const push = request.push.bind(request)
  let chunks = 0
  let bytes = 0
  let isRefused = false
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) return push(chunk, encoding)
    // Returning false makes Node stop reading for now.
    if (isRefused) return false
    bytes += chunk.length
    if (++chunks <= FREE_CHUNKS + bytes / AVERAGE_MIN_BYTES) return push(chunk, encoding)
    isRefused = true
    refuseBody(request, tooSmallChunks())
    return false
  }
}

function tooSmallChunks(): AppError {
  return new AppError('INVALID_INPUT', 'The request body comes in too many small chunks.', {
    context: {
      given: 'smaller chunks',
      allowed: `${FREE_CHUNKS} chunks of any size, and at least ${AVERAGE_MIN_BYTES} bytes on average beyond these`
    },
    suggestions: ['Send the body with a Content-Length, or in larger chunks']
  })
}
