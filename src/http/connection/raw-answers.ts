import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { AppError, errorBody } from '../../kernel/errors.js'
import { refuseBody } from '../body/refusals.js'
import { methodNotAllowed } from '../methods.js'
import { SECURITY_HEADERS } from '../security-headers.js'
import { intakeOf } from './intake.js'

/** Answers to what is no request that Fastify could see, as objects all the same. */

type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer }

/** With a method that the parser does not know. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ (\/\S*) HTTP\/1\.[01]\r\n/

/** A request that took too long to come. It was not executed, so a client may send it again. */
class RequestTimeout extends AppError {
  constructor() {
    super('SERVICE_UNAVAILABLE', 'The request took too long to arrive. The server has not executed it.', {
      suggestions: ['Send the whole request again, without a pause', 'Or open a new connection when there is a request']
    })
  }

  override get status(): number {
    return 408
  }
}

/** What Node's HTTP server reports of a connection: something that is not HTTP, too large, or too slow. */
export function refuseSocket(app: FastifyInstance, error: ParserError, socket: Socket): void {
  const intake = intakeOf(socket)
  if (socket.destroyed || intake?.isRefusing === true) return
  if (error.code === 'ECONNRESET' || intake === undefined) {
    socket.destroy()
    return
  }
  const { request, response } = intake
  if (request?.complete === false) {
    const isTimeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    // Its answer may have begun: then nobody waits for the rest of it.
    if (response?.headersSent === true) intake.refuse()
    else refuseBody(request, isTimeout ? new RequestTimeout() : notHttp())
    return
  }
  intake.refuse(answerTo(app, error))
}

function answerTo(app: FastifyInstance, { code, rawPacket }: ParserError): string {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return rawAnswer('408 Request Timeout', new RequestTimeout())
  if (code === 'HPE_HEADER_OVERFLOW') return rawAnswer('431 Request Header Fields Too Large', notHttp())
  const address =
    code === 'HPE_INVALID_METHOD' ? REQUEST_LINE.exec(rawPacket?.toString('latin1') ?? '')?.[1] : undefined
  if (address !== undefined) return rawAnswer('405 Method Not Allowed', ...methodNotAllowed(app, address))
  return rawAnswer('400 Bad Request', notHttp())
}

function notHttp(): AppError {
  return new AppError('INVALID_INPUT', 'The request is not HTTP as this server reads it.', {
    suggestions: ['Send an HTTP/1.1 request with headers under 16 KiB']
  })
}

/** An answer for a bare socket, which is closed after it. */
export function rawAnswer(status: string, error: AppError, headers: Record<string, string> = {}): string {
  const body = JSON.stringify(errorBody(error, randomUUID()))
  const lines = Object.entries({
    ...SECURITY_HEADERS,
    ...headers,
    ...(error.retry_after !== undefined && { 'retry-after': error.retry_after }),
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close'
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`
}
