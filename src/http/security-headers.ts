import type { FastifyInstance } from 'fastify'

/**
 * Headers of every response: browsers must not run, frame, sniff, store or embed it. The only page, /docs, has its own
 * policy. These are constants; a library would compute them for each request.
 *
 * Strict-Transport-Security is left to the TLS proxy, because it applies to the whole host name.
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

/** Register this before all other hooks, so that responses of later hooks have the headers too. */
export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(SECURITY_HEADERS)
    done()
  })
}
