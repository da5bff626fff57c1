import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** The headers that a page may send; other headers it requests are not allowed. */
const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'X-API-Key',
  'X-Agent-Id',
  'X-Agent-Type',
  'Idempotency-Key',
  'X-Request-Id',
  'Last-Event-ID',
  'Mcp-Session-Id',
  'Mcp-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name'
]
const EXPOSED_HEADERS = [
  'Mcp-Session-Id',
  'X-Request-Id',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'WWW-Authenticate'
]
/** Seconds for which a browser may cache a preflight response. */
const MAX_AGE = 600

/**
 * Allows pages of the origins in CORS_ORIGINS. Never with browser credentials such as cookies, which this server does
 * not use; a page needs a token or an API key. Browsers would also refuse `*` together with credentials.
 */
export async function registerCors(app: FastifyInstance, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : origins,
    credentials: false,
    methods: ['GET', 'POST', 'DELETE'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE,
    // An OPTIONS request that is not a preflight gets an empty response.
    strictPreflight: false,
    // `answerPreflights` answers, once the request has been counted.
    preflightContinue: true
  })
}

/** Register this after the rate limits, and before all that an OPTIONS request does not need. */
export function answerPreflights(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, next) => {
    if (request.method === 'OPTIONS') void reply.code(204).send()
    else next()
  })
}
