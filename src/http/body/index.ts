import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { networkOf } from '../../kernel/address.js'
import type { BodyBudget, Share } from './budget.js'
import { AppError } from '../../kernel/errors.js'
import { createTurns } from './turns.js'
import { arrive, cutOff, TooLarge } from './arrival.js'
import { guardChunks } from './chunks.js'
import { whenGone } from '../gone.js'

/** Most bytes of a body without good credentials: one call of add_message with all that it takes, in UTF-8. */
const STRANGER_LIMIT = 512 * 1024
/** A body of more bytes is parsed in a turn of the event loop of its own. */
const TURN_BYTES = 64 * 1024
/** A body of fewer bytes that arrives in one piece is not counted. */
const COUNTED_BYTES = 4096
/** How many bodies are read a piece further in one turn of the event loop. */
const PIECES = 4

export interface BodyOptions {
  /** Most bytes of a body with good credentials. */
  limit: number
  budget: BodyBudget
}

/**
 * JSON bodies: strictly UTF-8, and an empty one is an empty object. How large they are and how deep they nest is judged
 * while they arrive; what the JSON holds is the kernel's to judge.
 */
export function registerBodies(app: FastifyInstance, { limit, budget }: BodyOptions): void {
  const readTurn = createTurns(PIECES)
  const parseTurn = createTurns(1)
  const shares = new WeakMap<FastifyRequest, Share>()
  app.decorateRequest('sender', null)
  app.server.prependListener('request', guardChunks)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i,
    async (request: FastifyRequest, payload: IncomingMessage) => {
      refuseCharset(request.headers['content-type'] ?? '')
      const known = request.sender?.good === true
      const most = known ? limit : Math.min(limit, STRANGER_LIMIT)
      const declared = declaredLength(request)
      if (declared !== undefined && declared > most) throw await tooLarge(request, most)
      try {
        const { body, scan } = await arrive(payload, {
          declared,
          most,
          take: (bytes, onTaken) => {
            shareOf(request, known, onTaken).set(bytes)
          },
          takeTurn: read => {
            readTurn(known, read)
          }
        })
        if (body.length <= COUNTED_BYTES && !shares.has(request)) return parseJson(body)
        const heap_bytes = scan.heapBytes(isAscii(body))
        const share = shareOf(request, known, () => {})
        share.keep()
        share.set(Math.max(body.length, heap_bytes))
        if (body.length > TURN_BYTES)
          await new Promise<void>(resolve => {
            parseTurn(known, resolve)
          })
        const value = parseJson(body)
        share.set(heap_bytes)
        // Parsed and handled in one turn, a large body would stop everything else for too long.
        if (body.length > TURN_BYTES)
          await new Promise<void>(resolve => {
            parseTurn(known, resolve)
          })
        if (request.raw.socket.destroyed) throw cutOff()
        return value
      } catch (error) {
        shares.get(request)?.close()
        throw error instanceof TooLarge ? await tooLarge(request, most) : error
      }
    }
  )
  app.addHook('onResponse', (request, _reply, next) => {
    shares.get(request)?.close()
    next()
  })
  app.addHook('onSend', (request, reply, payload, next) => {
    // Of a body that nobody wants, Node reads on to the end, which may never come.
    if (request.raw.complete === false && isLong(request)) void reply.header('connection', 'close')
    next(null, payload)
  })

  function shareOf(request: FastifyRequest, known: boolean, onTaken: (error: AppError) => void): Share {
    const given = shares.get(request)
    if (given !== undefined) return given
    // Its end has been told already, and would not be told again.
    if (request.raw.socket.destroyed) throw cutOff()
    const share = budget.open(known, networkOf(request.ip), onTaken)
    const forget = whenGone(request.raw.socket, () => {
      share.close()
    })
    const counted = {
      ...share,
      close() {
        forget()
        share.close()
      }
    }
    shares.set(request, counted)
    return counted
  }

  async function tooLarge(request: FastifyRequest, most: number): Promise<AppError> {
    const { sender } = request
    if (sender?.refusal !== undefined) return sender.refusal()
    if (most === limit)
      return new AppError('PAYLOAD_TOO_LARGE', `The request body is larger than ${limit} bytes.`, {
        context: { limit_bytes: limit }
      })
    return new AppError(
      'PAYLOAD_TOO_LARGE',
      `The request body is larger than ${most} bytes, the limit without credentials in a header; with good ones it is BODY_LIMIT, ${limit} bytes.`,
      {
        context: { limit_bytes: most, limit_bytes_with_credentials: limit },
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
  return request.headers['transfer-encoding'] !== undefined || (declaredLength(request) ?? 0) > STRANGER_LIMIT
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

function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new AppError('INVALID_JSON', 'The request body is not valid UTF-8.')
  const text = body.toString('utf8').replace(/^\uFEFF/, '')
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new AppError('INVALID_JSON', 'The request body is not valid JSON.', {
      suggestions: ['Send one JSON object; check quotes, commas and escaped line breaks']
    })
  }
}
