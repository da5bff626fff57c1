import type { IncomingMessage } from 'node:http'
import { AppError } from '../../kernel/errors.js'
import { JsonScan } from '../../kernel/json-scan.js'
import { onRefused } from './refusals.js'

/** Initial buffer size for a body that does not arrive in one piece. */
const INITIAL_BUFFER_BYTES = 4096
/** Bytes of a body that are read before it waits for its next turn. */
const READ_BYTES = 64 * 1024
/** Overhead of a chunk, counted as bytes. */
const CHUNK_OVERHEAD_BYTES = 256

export interface BodyReadOptions {
  /** Bytes that Content-Length announces; undefined for a body in chunks. */
  declared: number | undefined
  /** Most bytes that are accepted. */
  max_bytes: number
  /**
   * Reserves memory for this many bytes in total, before they are copied.
   * @param onEvicted called when the reservation is withdrawn
   * @throws AppError if there is no memory left
   */
  reserve: (bytes: number, onEvicted: (error: AppError) => void) => void
  /** Calls `read` when it is this body's turn to be read further. */
  schedule: (read: () => void) => void
}

/** Thrown for a body with more bytes than are accepted. */
export class BodyTooLarge extends Error {}

/**
 * Reads a body and scans it as JSON while it arrives, so that a body that is refused is not read to its end.
 *
 * The bytes are copied into one growing buffer. Node delivers views into 64 KiB buffers, and a body sent byte by byte
 * would keep one such buffer for each byte.
 * @throws AppError, TooLarge
 */
export async function readBody(
  payload: IncomingMessage,
  { declared, max_bytes, reserve, schedule }: BodyReadOptions
): Promise<{ body: Buffer; scan: JsonScan }> {
  const scan = new JsonScan()
  let body: Buffer = Buffer.alloc(0)
  let length = 0
  let read = 0

  function add(chunk: Buffer): void {
    if (length + chunk.length > max_bytes) throw new BodyTooLarge()
    read += chunk.length + CHUNK_OVERHEAD_BYTES
    scan.feed(chunk, 'The request body')
    if (length === 0 && chunk.length === declared) {
      body = chunk
    } else {
      if (length + chunk.length > body.length) grow(length + chunk.length)
      chunk.copy(body, length)
    }
    length += chunk.length
  }

  function grow(needed: number): void {
    const capacity = Math.max(needed, Math.min(Math.max(2 * body.length, INITIAL_BUFFER_BYTES), declared ?? max_bytes))
    reserve(capacity, fail)
    const larger = Buffer.allocUnsafeSlow(capacity)
    body.copy(larger, 0, 0, length)
    body = larger
  }

  let fail: (error: Error) => void = () => {}
  // A destroyed request emits no further events.
  if (payload.destroyed) throw requestAborted()
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        add(chunk)
        // Pause, so that many bodies at a time do not block the event loop.
        if (read >= READ_BYTES && length !== declared) pause()
      } catch (error) {
        fail(error as Error)
      }
    }
    let isDone = false
    const onEnd = () => {
      isDone = true
      removeListeners()
      resolve()
    }
    // The client has gone away: nobody reads this.
    const onError = () => {
      fail(requestAborted())
    }
    const pause = () => {
      read = 0
      payload.pause()
      schedule(() => {
        if (!isDone) payload.resume()
      })
    }
    let removeRefusalListener = () => {}
    const removeListeners = () => {
      removeRefusalListener()
      payload.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError)
    }
    fail = error => {
      // The body is complete: it must not be replaced by an empty one.
      if (isDone) return
      isDone = true
      removeListeners()
      payload.pause()
      // Free the memory at once, however long the refusal takes.
      body = Buffer.alloc(0)
      reject(error)
    }
    removeRefusalListener = onRefused(payload, error => {
      fail(error)
    })
    if (isDone) return
    payload.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError)
    if (declared !== undefined && declared <= READ_BYTES) payload.resume()
    else pause()
  })
  return { body: body.subarray(0, length), scan }
}

/** The client has disconnected, so nobody reads this error. */
export function requestAborted(): AppError {
  return new AppError('INVALID_JSON', 'The request ended before its body was complete.')
}
