import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { explain } from '../kernel/authorize.js'
import { AppError, type ErrorBody, errorBody } from '../kernel/errors.js'
import { SECURITY_HEADERS } from './security-headers.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How a route of another protocol than REST wraps a failure's object. */
    wrapFailure?: (error: AppError, body: ErrorBody, request: FastifyRequest) => unknown
  }
}

/**
 * What went wrong on the way to a tool → an AppError: Fastify's own errors, the body parser's, anything unexpected.
 */
export function failureOf(error: unknown, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error
  const { statusCode, code } = error as Partial<FastifyError>
  // The client has gone away in the middle of its body: nobody's fault here, and nobody reads the answer.
  if (request.raw.readableAborted || statusCode === 408)
    return new AppError('INVALID_JSON', 'The request ended before its body was complete.')
  if (statusCode === 415) return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The request body is not declared as JSON.')
  if (typeof code === 'string' && code.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500) {
    return new AppError('INVALID_JSON', 'The request could not be read.')
  }
  return explain(error, { request_id: request.id }, request.server.kernel)
}

/**
 * Sends a failure as docs/semantics.md, Errors has it; whoever refuses a request, hook or handler, on whichever front,
 * does so here.
 */
export function sendFailure(reply: FastifyReply, error: AppError): FastifyReply {
  const { request } = reply
  const body = errorBody(error, request.id)
  if (error.retry_after !== undefined) void reply.header('retry-after', error.retry_after)
  const asked = challenge(error, request)
  if (asked !== undefined) void reply.header('www-authenticate', asked)
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(request.routeOptions.config.wrapFailure?.(error, body, request) ?? body))
}

/** WWW-Authenticate, as RFC 6750 and RFC 9728 have it; undefined where other credentials would not help. */
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
  const said = Object.entries(params).filter(([, value]) => value !== undefined && value !== '')
  return ['Bearer', said.map(([name, value]) => `${name}="${value}"`).join(', ')].filter(text => text !== '').join(' ')
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
