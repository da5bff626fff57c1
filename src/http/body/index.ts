import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { networkOf } from '../../kernel/network.js'
import type { BodyBudget, Reservation } from './budget.js'
import { AppError } from '../../kernel/errors.js'
import type { JsonScan } from '../../kernel/json-scan.js'
import { createScheduler } from '../scheduler.js'
import { readBody, requestAborted, BodyTooLarge } from './arrival.js'
import { askForBody } from '../connection/expectations.js'
import { intakeOf } from '../connection/intake.js'
import { onDisconnect } from '../gone.js'

/** Largest body without valid credentials, in bytes: the largest call of add_message, in UTF-8. */
const UNKNOWN_CALLER_LIMIT = 512 * 1024
/** A larger body is parsed in a separate turn of the event loop. */
const LARGE_BYTES = 64 * 1024
/** A smaller body that arrives in one piece is not counted in the budget. */
const UNCOUNTED_MAX_BYTES = 4096
/** How many bodies are read further in one turn of the event loop. */
const READS_PER_TURN = 4

const BYTE_ORDER_MARK = Buffer.from('\uFEFF')
/** The greatest of the bytes that are white space in JSON. */
const SPACE = 0x20

export interface BodyOptions {
  /** Largest body with valid credentials, in bytes. */
  limit: number
  budget: BodyBudget
}

/**
 * Registers the parser for JSON bodies, which must be UTF-8; an empty body is an empty object. Size and nesting depth
 * are checked while a body arrives. The kernel checks the content.
 */
export function registerBodies(app: FastifyInstance, { limit, budget }: BodyOptions): void {
  const scheduleRead = createScheduler(READS_PER_TURN)
  const scheduleParse = createScheduler(1)
  const reservations = new WeakMap<FastifyRequest, Reservation>()
  app.decorateRequest('sender', null)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      refuseCharset(request.headers['content-type'] ?? '')
      const isKnown = request.sender?.isAuthenticated === true
      const max_bytes = isKnown ? limit : Math.min(limit, UNKNOWN_CALLER_LIMIT)
      const declared = declaredLength(request)
      if (declared !== undefined && declared > max_bytes) throw await tooLarge(request, max_bytes)
      askForBody(request.raw)
      try {
        const { body, scan } = await readBody(payload, {
          declared,
          max_bytes,
          reserve: (bytes, onTaken) => {
            reservationOf(request, isKnown, onTaken).set(bytes)
          },
          schedule: read => {
            scheduleRead(isKnown, read)
          }
        })
        if (body.length <= UNCOUNTED_MAX_BYTES && !reservations.has(request)) return parseJson(body, scan)
        const heap_bytes = scan.heapBytes(isAscii(body))
        const reservation = reservationOf(request, isKnown, () => {})
        reservation.pin()
        reservation.set(Math.max(body.length, heap_bytes))
        if (body.length > LARGE_BYTES)
          await new Promise<void>(resolve => {
            scheduleParse(isKnown, resolve)
          })
        const value = parseJson(body, scan)
        reservation.set(heap_bytes)
        // Parsing and handling a large body in one turn would block the event loop for too long.
        if (body.length > LARGE_BYTES)
          await new Promise<void>(resolve => {
            scheduleParse(isKnown, resolve)
          })
        if (request.raw.socket.destroyed) throw requestAborted()
        return value
      } catch (error) {
        reservations.get(request)?.close()
        throw error instanceof BodyTooLarge ? await tooLarge(request, max_bytes) : error
      }
    }
  )
  app.addHook('onResponse', (request, _reply, next) => {
    reservations.get(request)?.close()
    next()
  })
  app.addHook('onSend', (request, reply, payload, next) => {
    // Node would read an unwanted body to its end, which may never come. So close the connection.
    if (request.raw.complete === false && (isLong(request) || intakeOf(request.raw.socket)?.isRefusing === true))
      void reply.header('connection', 'close')
    next(null, payload)
  })

  function reservationOf(request: FastifyRequest, isKnown: boolean, onTaken: (error: AppError) => void): Reservation {
    const existing = reservations.get(request)
    if (existing !== undefined) return existing
    // A destroyed socket emits no further close event.
    if (request.raw.socket.destroyed) throw requestAborted()
    const reservation = budget.open(isKnown, networkOf(request.ip), onTaken)
    const removeListener = onDisconnect(request.raw.socket, () => {
      reservation.close()
    })
    const counted = {
      ...reservation,
      close() {
        removeListener()
        reservation.close()
      }
    }
    reservations.set(request, counted)
    return counted
  }

  async function tooLarge(request: FastifyRequest, max_bytes: number): Promise<AppError> {
    const { sender } = request
    if (sender?.refusal !== undefined) return sender.refusal()
    if (max_bytes === limit)
      return new AppError('PAYLOAD_TOO_LARGE', `The request body is larger than ${limit} bytes.`, {
        context: { limit_bytes: limit }
      })
    return new AppError(
      'PAYLOAD_TOO_LARGE',
      `The request body is larger than ${max_bytes} bytes, the limit without credentials in a header; ` +
        `with good ones it is BODY_LIMIT, ${limit} bytes.`,
      {
        context: { limit_bytes: max_bytes, limit_bytes_with_credentials: limit },
        suggestions: [
          'Send credentials in a header: Authorization: Bearer <token>, or X-API-Key with X-Agent-Id',
          'Split the content over several calls'
        ]
      }
    )
  }
}

/** Whether more than a little of the body may be to come. */
function isLong(request: FastifyRequest): boolean {
  return request.headers['transfer-encoding'] !== undefined || (declaredLength(request) ?? 0) > UNKNOWN_CALLER_LIMIT
}

/** Undefined for a body in chunks. */
function declaredLength({ headers }: FastifyRequest): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
}

function refuseCharset(content_type: string): void {
  const charset = /charset="?([\w-]+)/i.exec(content_type)?.[1]
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset))
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'JSON is taken in UTF-8 only.')
}

function parseJson(body: Buffer, scan: JsonScan): unknown {
  if (!isUtf8(body)) throw new AppError('INVALID_JSON', 'The request body is not valid UTF-8.')
  // The scan counts the bytes of a byte order mark too.
  if (body.subarray(0, 3).equals(BYTE_ORDER_MARK)) body.fill(' ', 0, 3)
  if (body.every(byte => byte <= SPACE)) return {}
  try {
    scan.markInexact(body)
    return JSON.parse(body.toString()) as unknown
  } catch {
    throw new AppError('INVALID_JSON', 'The request body is not valid JSON.', {
      suggestions: ['Send one JSON object; check quotes, commas and escaped line breaks']
    })
  }
}
