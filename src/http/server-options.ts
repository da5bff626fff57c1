import { randomUUID } from 'node:crypto'
import { type FastifyServerOptions, LogController } from 'fastify'
import { AppError } from '../kernel/errors.js'
import { refuseRaw } from './failures.js'

/**
 * Milliseconds a client may take over its headers, and over its body beyond what a call may take; less if a call may
 * take less.
 */
const HEADERS_TIMEOUT_MS = 10_000
const BODY_GRACE_MS = 5000
/** Bytes the headers may have, the address among them. */
const HEADERS_MAX = 16 * 1024
/** Milliseconds between two looks for clients that are too slow. */
const SLOW_CHECK_MS = 2000

export interface ServerConfig {
  body_limit: number
  trust_proxy: boolean | string[] | number
  request_timeout_ms: number
}

/** How Fastify and Node's HTTP server are set up: sizes, times, and answers to what is not HTTP. */
export function serverOptions(
  { body_limit, trust_proxy, request_timeout_ms }: ServerConfig,
  logger: NonNullable<FastifyServerOptions['loggerInstance']>
): FastifyServerOptions {
  const atMost = (ms: number) => Math.min(ms, request_timeout_ms)
  return {
    loggerInstance: logger,
    // The kernel logs each call once.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: body_limit,
    trustProxy: trust_proxy,
    requestTimeout: request_timeout_ms + atMost(BODY_GRACE_MS),
    http: {
      maxHeaderSize: HEADERS_MAX,
      headersTimeout: atMost(HEADERS_TIMEOUT_MS),
      connectionsCheckingInterval: atMost(SLOW_CHECK_MS)
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: request => requestId(request.headers['x-request-id']),
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 200,
      onBadUrl: (_path, _request, response) => {
        refuseRaw(response, 404, new AppError('TOOL_NOT_FOUND', 'The address could not be read.'))
      }
    },
    // connection/index.ts listens instead.
    clientErrorHandler: () => {}
  } as FastifyServerOptions
}

/** Keeps a client's own request id if it is harmless in a log, so that a call can be followed through services. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID()
}
