import type { IncomingMessage } from 'node:http'
import { AppError } from '../../kernel/errors.js'
import { JsonScan } from '../../kernel/json-scan.js'
import { onTooSmall } from './chunks.js'

/** Bytes that a body begins with that does not arrive in one piece. */
const FIRST_BYTES = 4096
/** What is read of a body in one turn; one of so many bytes does not wait for a turn. */
const PIECE_BYTES = 64 * 1024
/** What a chunk costs beside its bytes, as if it were so many bytes more. */
const CHUNK_BYTES = 256

export interface Arriving {
  /** Bytes that Content-Length announces; undefined for a body in chunks. */
  declared: number | undefined
  /** Most bytes that are taken. */
  most: number
  /**
   * Takes room for that many bytes in all, before they are copied.
   * @param onTaken called when the room is taken away again
   * @throws AppError where there is none
   */
  take: (bytes: number, onTaken: (error: AppError) => void) => void
  /** Calls when it is this body's turn to be read a piece further. */
  takeTurn: (read: () => void) => void
}

/** Thrown for a body of more bytes than are taken. */
export class TooLarge extends Error {}

/**
 * Reads a body, and scans it as JSON on the way, so that one that is refused is not read further.
 *
 * The bytes are copied into one buffer that grows. What Node hands over are views of 64 KiB each, of which a body sent
 * by single bytes would keep as many as it has bytes.
 * @throws AppError, TooLarge
 */
export async function arrive(
  payload: IncomingMessage,
  { declared, most, take, takeTurn }: Arriving
): Promise<{ body: Buffer; scan: JsonScan }> {
  const scan = new JsonScan()
  let body: Buffer = Buffer.alloc(0)
  let length = 0
  let read = 0

  function add(chunk: Buffer): void {
    if (length + chunk.length > most) throw new TooLarge()
    read += chunk.length + CHUNK_BYTES
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
    const capacity = Math.max(needed, Math.min(Math.max(2 * body.length, FIRST_BYTES), declared ?? most))
    take(capacity, fail)
    const larger = Buffer.allocUnsafeSlow(capacity)
    body.copy(larger, 0, 0, length)
    body = larger
  }

  let fail: (error: Error) => void = () => {}
  // Nothing more would be heard of it.
  if (payload.destroyed) throw cutOff()
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        add(chunk)
        // Many bodies at a time, read as fast as they come, would stop everything else.
        if (read >= PIECE_BYTES && length !== declared) pause()
      } catch (error) {
        fail(error as Error)
      }
    }
    let over = false
    const onEnd = () => {
      over = true
      stop()
      resolve()
    }
    // The client has gone away: nobody reads this.
    const onError = () => {
      fail(cutOff())
    }
    const pause = () => {
      read = 0
      payload.pause()
      takeTurn(() => {
        if (!over) payload.resume()
      })
    }
    let forget = () => {}
    const stop = () => {
      forget()
      payload.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError)
    }
    fail = error => {
      // The whole body is there: it must not become an empty one.
      if (over) return
      over = true
      stop()
      payload.pause()
      // What has arrived is free at once, however long its refusal takes.
      body = Buffer.alloc(0)
      reject(error)
    }
    forget = onTooSmall(payload, error => {
      fail(error)
    })
    if (over) return
    payload.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError)
    if (declared !== undefined && declared <= PIECE_BYTES) payload.resume()
    else pause()
  })
  return { body: body.subarray(0, length), scan }
}

/** What nobody reads: the client has gone away. */
export function cutOff(): AppError {
  return new AppError('INVALID_JSON', 'The request ended before its body was complete.')
}
