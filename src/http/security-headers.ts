import type { FastifyInstance } from 'fastify'

/**
 * What every answer says to browsers: that it is no page, may not be framed, guessed at, kept or embedded elsewhere.
 * /docs, the one page, has a policy of its own. Constants, set once an answer; a library would work them out per
 * request.
 *
 * No Strict-Transport-Security: whoever ends TLS says that, for the whole host name, which may not be the service's
 * alone.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // For browsers that do not know frame-ancestors.
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // Answers hold tokens, and what only the caller may see.
  'cache-control': 'no-store'
})

/** First of all hooks, so that what a later one refuses has them too. */
export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(SECURITY_HEADERS)
    done()
  })
}

/** For an answer that is written on a bare socket. */
export const SECURITY_HEADER_LINES = Object.entries(SECURITY_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')
