import type { FastifyRequest } from 'fastify'
import type { Outcome } from '../kernel/call.js'
import { AppError, type ErrorBody, errorBody } from '../kernel/errors.js'
import { stringify } from '../kernel/json-text.js'

/** Codes of JSON-RPC and MCP. */
export const INVALID_PARAMS = -32602
export const METHOD_NOT_FOUND = -32601
const PARSE_ERROR = -32700
export const INTERNAL_ERROR = -32603
const SERVER_ERROR = -32000
// Those of the SDKs: an unknown Mcp-Session-Id, and a resource that is not there (2026-07-28 says -32602; its SDK
// rewrites it).
const MCP_SESSION_NOT_FOUND = -32001
const RESOURCE_NOT_FOUND = -32002

/** A JSON-RPC error. Both SDKs send its `code`, `message` and `data` unchanged. */
export class RpcFailure extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: ErrorBody
  ) {
    super(message)
  }
}

/** A refusal of a request other than a tool's call, whose refusal is a result. */
export function refusal(error: AppError, request_id: string, code = codeOf(error)): RpcFailure {
  return new RpcFailure(code, error.message, errorBody(error, request_id))
}

/**
 * The result of a successful call.
 * @throws RpcFailure if the call failed
 */
export function answerOf(outcome: Outcome): Record<string, unknown> {
  if (!outcome.ok) throw new RpcFailure(codeOf(outcome.error), outcome.error.message, outcome.body)
  return JSON.parse(stringify(outcome.body)) as Record<string, unknown>
}

function codeOf(error: AppError): number {
  if (error.status === 404) return RESOURCE_NOT_FOUND
  if (error.status === 400 || error.status === 413) return INVALID_PARAMS
  return error.status === 500 ? INTERNAL_ERROR : SERVER_ERROR
}

/** Wraps an error with an HTTP status as a JSON-RPC error. */
export function wrapFailure(error: AppError, body: ErrorBody, request: FastifyRequest): unknown {
  const code =
    error.code === 'INVALID_JSON'
      ? PARSE_ERROR
      : error.status === 404
        ? MCP_SESSION_NOT_FOUND
        : error.status === 500
          ? INTERNAL_ERROR
          : SERVER_ERROR
  return { jsonrpc: '2.0', error: { code, message: error.message, data: body }, id: idOf(request.body) }
}

function idOf(message: unknown): string | number | null {
  const { method, id } = (message ?? {}) as { method?: unknown; id?: unknown }
  return typeof method === 'string' && (typeof id === 'string' || typeof id === 'number') ? id : null
}

export function mcpSessionNotFound(): AppError {
  return new AppError('SESSION_NOT_FOUND', 'There is no MCP session of that Mcp-Session-Id; it has ended.', {
    suggestions: ['Send initialize without an Mcp-Session-Id, then repeat the request with the new one']
  })
}
