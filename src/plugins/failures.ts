import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { explain, type Kernel } from '../core/call.js'
import { AppError, errorBody } from '../core/errors.js'

/** What went wrong on the way to a tool → an AppError: Fastify's own errors, the body parser's, anything unexpected. */
export function failureOf (error: unknown, request: FastifyRequest, kernel: Pick<Kernel, 'store' | 'log'>, body_limit: number): AppError {
  if (error instanceof AppError) return error
  const { statusCode, code } = error as Partial<FastifyError>
  if (statusCode === 413) {
    return new AppError('PAYLOAD_TOO_LARGE', `The request body is larger than ${body_limit} bytes.`, { context: { limit_bytes: body_limit } })
  }
  if (statusCode === 415) return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The request body is not declared as JSON.')
  if (typeof code === 'string' && code.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500) {
    return new AppError('INVALID_JSON', 'The request could not be read.')
  }
  return explain(error, { request_id: request.id }, kernel)
}

/** Sends a failure as contract §2 has it. */
export function sendFailure (reply: FastifyReply, error: AppError): FastifyReply {
  if (error.retry_after !== undefined) void reply.header('retry-after', error.retry_after)
  if (error.status === 401) void reply.header('www-authenticate', challenge(error))
  return reply.code(error.status).type('application/json; charset=utf-8').send(JSON.stringify(errorBody(error, reply.request.id)))
}

/** WWW-Authenticate, as RFC 6750 has it. */
export function challenge (error: AppError): string {
  const invalid = error.code === 'INVALID_TOKEN' || error.code === 'TOKEN_EXPIRED' || error.code === 'TOKEN_REVOKED'
  return invalid ? 'Bearer error="invalid_token"' : 'Bearer'
}
