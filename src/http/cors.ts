import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What a page may send besides the plain headers, spelt out: what it asks for is not simply said back. */
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
/** Seconds a browser may remember the answer to its question. */
const MAX_AGE = 600

/**
 * Pages of other origins, as CORS_ORIGINS lists them. Never with credentials: browsers then send no cookies or
 * passwords of their own along, and would not take `*` with them. The server knows neither; a page has to have a token
 * or a key.
 */
export async function registerCors(app: FastifyInstance, origins: string[]): Promise<void> {
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : origins,
    credentials: false,
    methods: ['GET', 'POST', 'DELETE'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE,
    // An OPTIONS that is no preflight gets an empty answer, not a text.
    strictPreflight: false
  })
}
