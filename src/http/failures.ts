import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { explain, type Kernel } from '../kernel/call.js'
import { AppError, type ErrorBody, errorBody } from '../kernel/errors.js'
import { SECURITY_HEADER_LINES, SECURITY_HEADERS } from './security-headers.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How a route of a protocol other than REST wraps the error object. */
    wrapFailure?: (error: AppError, body: ErrorBody, request: FastifyRequest) => unknown
  }
}

/** Converts any error outside a tool to an AppError: Fastify's errors, the body parser's, and unexpected ones. */
export function failureOf(error: unknown, request: FastifyRequest, kernel: Pick<Kernel, 'store' | 'log'>): AppError {
  if (error instanceof AppError) return error
  const { statusCode, code } = error as Partial<FastifyError>
  // The client has disconnected in the middle of its body, so nobody reads the response.
  if (request.raw.readableAborted || statusCode === 408)
    return new AppError('INVALID_JSON', 'The request ended before its body was complete.')
  if (statusCode === 415) return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The request body is not declared as JSON.')
  if (typeof code === 'string' && code.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500) {
    return new AppError('INVALID_JSON', 'The request could not be read.')
  }
  return explain(error, { request_id: request.id }, kernel)
}

/**
 * Sends an error as docs/semantics.md, Errors defines it. Every hook and handler of REST and MCP refuses requests with
 * this function.
 */
export function sendFailure(reply: FastifyReply, error: AppError): FastifyReply {
  const { request } = reply
  const body = errorBody(error, request.id)
  if (error.retry_after !== undefined) void reply.header('retry-after', error.retry_after)
  const authenticate = challenge(error, request)
  if (authenticate !== undefined) void reply.header('www-authenticate', authenticate)
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(request.routeOptions.config.wrapFailure?.(error, body, request) ?? body))
}

/** The WWW-Authenticate header (RFC 6750, RFC 9728); undefined if other credentials would not help. */
function challenge(error: AppError, request: FastifyRequest): string | undefined {
  const { protectedResource } = request.server
  const params: Record<string, string | undefined> = {}
  if (error.status === 401) {
    const invalid = error.code === 'INVALID_TOKEN' || error.code === 'TOKEN_EXPIRED' || error.code === 'TOKEN_REVOKED'
    params.error = invalid ? 'invalid_token' : undefined
    params.scope = protectedResource?.scopes?.join(' ')
  } else {
    const scope =
      error.code === 'PERMISSION_DENIED'
        ? protectedResource?.scopeFor(String(error.context?.required_permission))
        : undefined
    if (scope === undefined) return undefined
    Object.assign(params, { error: 'insufficient_scope', scope })
  }
  params.resource_metadata = protectedResource?.metadataUrl(request)
  const parameters = Object.entries(params).filter(([, value]) => value !== undefined && value !== '')
  return ['Bearer', parameters.map(([name, value]) => `${name}="${value}"`).join(', ')]
    .filter(text => text !== '')
    .join(' ')
}

/**
 * Answers requests that are not HTTP, or whose headers are too large or too slow. There is no response object yet, so
 * it writes the JSON error to the socket.
 */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  // A response is pending on this connection. The client would mistake this error for it, so only disconnect.
  if (Boolean((socket as Socket & { _httpMessage?: unknown })._httpMessage)) {
    socket.destroy()
    return
  }
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  const body = JSON.stringify(
    errorBody(
      new AppError('INVALID_INPUT', 'The request is not HTTP as this server reads it.', {
        suggestions: ['Send an HTTP/1.1 request with headers under 16 KiB']
      }),
      randomUUID()
    )
  )
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ` +
      `${Buffer.byteLength(body)}\r\n${SECURITY_HEADER_LINES}Connection: close\r\n\r\n${body}`
  )
}

export function refuseRaw(response: ServerResponse, status: number, error: AppError): void {
  const body = JSON.stringify(errorBody(error, randomUUID()))
  response
    .writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body)
    })
    .end(body)
}
